#!/bin/bash
# An emulated Raspberry Pi for tests, reached over SSH on loopback: real arm64 Debian binaries, run by qemu-user
# on this machine's kernel, in namespaces of their own.
#
#   emulated_board.sh probe          tell by the exit code whether this kernel lets it (Linux 6.7, namespaces)
#   emulated_board.sh build          make the arm64 root: Debian 12 with python3 and sshd, and nothing else
#   emulated_board.sh start | stop   power on and off; what was written on it is gone afterwards
#
# What it is not: a Raspberry Pi. Its speed says nothing about one; what runs, and what comes out, does.
# Needs root, Linux 6.7 or newer, and qemu-user-static mmdebstrap debian-archive-keyring openssh-client. Nothing
# of this machine is configured: the arm64 handler is registered in a user namespace of its own.
#
#   BOARD_ROOT   the root that `build` makes          BOARD_RUN   what belongs to one board that runs
#   BOARD_PORT   its port on loopback                 BOARD_CPU   cortex-a72 (Pi 4) or cortex-a76 (Pi 5)
set -euo pipefail
umask 022

ROOT=${BOARD_ROOT:-} RUN=${BOARD_RUN:-} PORT=${BOARD_PORT:-} CPU=${BOARD_CPU:-cortex-a72}
SELF=$(readlink -f "$0")
PACKAGES=base-files,bash,dash,coreutils,grep,sed,procps,util-linux,libc-bin,python3,libstdc++6,libgomp1
PACKAGES+=,openssh-server,openssh-client
ARM64_MAGIC='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
ARM64_MASK='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'

cmd_probe() {
  local handlers=/proc/sys/fs/binfmt_misc
  [ "$(id -u)" = 0 ] || return 1
  [ -e $handlers/qemu-aarch64 ] || unshare --user --map-root-user --mount mount -t binfmt_misc none $handlers
}

cmd_build() {
  local new=$ROOT.part
  rm -rf "$new"
  # "extract" unpacks the packages without running their scripts under emulation: seconds, not minutes.
  # shellcheck disable=SC2016  # the hook's $1 is mmdebstrap's
  mmdebstrap --quiet --mode=root --arch=arm64 --variant=extract --skip=check/qemu --include="$PACKAGES" \
    --aptopt='Acquire::Languages "none"' \
    --setup-hook='for d in bin sbin lib; do mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done' bookworm "$new"
  rm -rf "$new"/usr/share/{doc,man,info,locale} "$new"/etc/apt "$new"/var/lib/apt
  # What the packages' scripts would have written, as far as it is needed.
  mkdir -p "$new"/{proc,sys,dev,run,tmp,root/.ssh,var/tmp,etc/board}
  chmod 1777 "$new/tmp" "$new/var/tmp"
  chmod 700 "$new/root" "$new/root/.ssh"
  printf '%s\n' root:x:0:0:root:/root:/bin/bash sshd:x:101:65534::/run/sshd:/usr/sbin/nologin \
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin >"$new/etc/passwd"
  printf '%s\n' root:x:0: tty:x:5: video:x:44: nogroup:x:65534: >"$new/etc/group"
  printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$new/etc/nsswitch.conf"
  printf '%s\n' 'ListenAddress 127.0.0.1' 'HostKey /etc/ssh/hostkey' 'PidFile none' 'UsePAM no' 'UseDNS no' \
    'PasswordAuthentication no' 'KbdInteractiveAuthentication no' 'PermitRootLogin prohibit-password' \
    'KexAlgorithms curve25519-sha256' >"$new/etc/ssh/sshd_config"
  mv "$new" "$ROOT"
}

cmd_start() {
  local unshared='' first='' i
  mkdir -p "$RUN/mnt"
  [ -f "$RUN/key" ] || for i in key hostkey; do ssh-keygen -q -t ed25519 -N '' -f "$RUN/$i"; done
  # Process 1 only waits, and so reaps what the board's processes leave behind.
  setsid unshare --user --mount --uts --ipc --pid --fork --kill-child \
    bash -c 'trap "exit 0" TERM; while :; do sleep 3600 & wait; done' board-init "$RUN" \
    </dev/null >"$RUN/log" 2>&1 &
  unshared=$!
  for ((i = 0; i < 100 && ${#first} == 0; i++)); do
    sleep 0.05
    first=$(tr -d ' ' <"/proc/$unshared/task/$unshared/children" 2>/dev/null || true)
  done
  echo "$first" >"$RUN/init.pid"
  # All ids map to themselves: sshd must be able to drop to its own user.
  echo '0 0 65536' >"/proc/$first/uid_map"
  echo '0 0 65536' >"/proc/$first/gid_map"
  setsid nsenter -t "$first" -U -m -u -i -p env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin BOARD_ROOT="$ROOT" \
    BOARD_RUN="$RUN" BOARD_PORT="$PORT" BOARD_CPU="$CPU" bash "$SELF" _boot </dev/null >>"$RUN/log" 2>&1 &
  printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 "$RUN/hostkey.pub")" >"$RUN/known_hosts"
  for ((i = 0; i < 300; i++)); do
    if ssh -F none -p "$PORT" -i "$RUN/key" -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=5 \
      -o UserKnownHostsFile="$RUN/known_hosts" root@127.0.0.1 true 2>/dev/null; then return; fi
    sleep 0.1
  done
  cat "$RUN/log" >&2
  cmd_stop
  exit 1
}

# Files that make the root look like the board to programs that ask, and to onnxruntime and OpenVINO, which crash
# where the lists of cores and caches are those of another architecture or incomplete.
board_files() {
  local root=$1 cpus i cpu list model part variant revision khz features='fp asimd evtstrm crc32 cpuid'
  case $CPU in
    cortex-a76)
      model='Raspberry Pi 5 Model B Rev 1.0 (emulated)' part=0xd0b variant=4 revision=1 khz=2400000
      features+=' aes pmull sha1 sha2 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp'
      ;;
    *) model='Raspberry Pi 4 Model B Rev 1.5 (emulated)' part=0xd08 variant=0 revision=3 khz=1800000 ;;
  esac
  cpus=$(nproc)
  [ "$cpus" -gt 4 ] && cpus=4
  list=0-$((cpus - 1))
  mkdir -p "$root"/sys/{class/thermal/thermal_zone0,firmware/devicetree/base,devices/system/cpu}
  printf '%s\0' "$model" >"$root/sys/firmware/devicetree/base/model"
  echo cpu-thermal >"$root/sys/class/thermal/thermal_zone0/type"
  echo 48200 >"$root/sys/class/thermal/thermal_zone0/temp"
  for i in possible present online; do echo "$list" >"$root/sys/devices/system/cpu/$i"; done
  for ((i = 0; i < cpus; i++)); do
    printf 'processor\t: %d\nFeatures\t: %s\nCPU implementer\t: 0x41\nCPU architecture: 8\n' "$i" "$features"
    printf 'CPU variant\t: 0x%d\nCPU part\t: %s\nCPU revision\t: %d\n\n' $variant $part $revision
    cpu=$root/sys/devices/system/cpu/cpu$i
    mkdir -p "$cpu"/{cpufreq,topology,regs/identification}
    printf '0x%016x\n' $((0x410f0000 + (variant << 20) + (part << 4) + revision)) >"$cpu/regs/identification/midr_el1"
    echo 0 >"$cpu/topology/physical_package_id"
    echo "$i" | tee "$cpu/topology/core_id" "$cpu"/topology/{core_cpus,thread_siblings}_list >/dev/null
    printf '%x\n' $((1 << i)) | tee "$cpu"/topology/{core_cpus,thread_siblings} >/dev/null
    echo "$list" | tee "$cpu"/topology/{package_cpus,core_siblings,cluster_cpus}_list >/dev/null
    printf '%x\n' $(((1 << cpus) - 1)) | tee "$cpu"/topology/{package_cpus,core_siblings,cluster_cpus} >/dev/null
    cache_files "$cpu/cache/index0" 1 Data 32K "$i" $((1 << i))
    cache_files "$cpu/cache/index1" 1 Instruction 48K "$i" $((1 << i))
    cache_files "$cpu/cache/index2" 2 Unified 1024K "$list" $(((1 << cpus) - 1))
    echo 600000 >"$cpu/cpufreq/cpuinfo_min_freq"
    echo $khz | tee "$cpu"/cpufreq/{cpuinfo_max_freq,scaling_cur_freq} >/dev/null
    echo ondemand >"$cpu/cpufreq/scaling_governor"
  done >"$root/etc/board/cpuinfo"
  echo 0x0 >"$root/etc/board/throttled"
  # The firmware's query tool; a test changes what it answers by writing to that file.
  printf '#!/bin/sh\n[ "$1" = get_throttled ] && echo "throttled=$(cat /etc/board/throttled)" || exit 255\n' \
    >"$root/usr/bin/vcgencmd"
  chmod 755 "$root/usr/bin/vcgencmd"
}

cache_files() { # folder level type size list mask
  mkdir -p "$1"
  echo "$2" >"$1/level"
  echo "$3" >"$1/type"
  echo "$4" >"$1/size"
  echo 64 >"$1/coherency_line_size"
  echo "$5" >"$1/shared_cpu_list"
  printf '%x\n' "$6" >"$1/shared_cpu_map"
}

# Runs inside the board's namespaces, as their root.
cmd__boot() {
  local handlers=/proc/sys/fs/binfmt_misc root=$RUN/mnt/root device settings
  mount --make-rprivate /
  # For these namespaces only (Linux 6.7); the flags C and F let it work in any root.
  if mount -t binfmt_misc binfmt_misc $handlers 2>/dev/null && [ ! -e $handlers/qemu-aarch64 ]; then
    printf '%s' ":qemu-aarch64:M::$ARM64_MAGIC:$ARM64_MASK:$(command -v qemu-aarch64-static):OCF" \
      >$handlers/register
  fi
  mount -t tmpfs tmpfs "$RUN/mnt" # every start finds the board as it was built
  mkdir "$RUN"/mnt/{up,work,root}
  mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$RUN/mnt/up,workdir=$RUN/mnt/work,userxattr" "$root"
  cp "$RUN/key.pub" "$root/root/.ssh/authorized_keys"
  install -m 600 "$RUN/hostkey" "$root/etc/ssh/hostkey"
  board_files "$root"
  mount -t proc proc "$root/proc"
  mount --bind "$root/etc/board/cpuinfo" "$root/proc/cpuinfo"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  mkdir "$root"/dev/{pts,shm}
  for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mkdir -m 755 "$root/run/sshd"
  hostname emulated-board
  settings="QEMU_CPU=$CPU QEMU_UNAME=6.6.74+rpt-rpi-v8"
  # shellcheck disable=SC2086
  exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin $settings /usr/sbin/sshd -D -e -p "$PORT" \
    -o "SetEnv $settings LANG=C.UTF-8 EDGEFIT_EMULATED=qemu-user EDGEFIT_NO_WAIT=1"
}

cmd_stop() {
  # The first process of a namespace takes all the others with it.
  kill -KILL "$(cat "$RUN/init.pid")" 2>/dev/null || true
}

case ${1:-} in
  probe | build | start | stop | _boot) "cmd_$1" ;;
  *)
    sed -n '2,15s/^# \{0,1\}//p' "$SELF"
    exit 2
    ;;
esac
