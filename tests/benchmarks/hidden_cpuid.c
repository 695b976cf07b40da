/* Answers for the instruction CPUID as a CPU with AVX2 and without anything newer would.
 *
 * avx2_environment.py replaces each CPUID of a library by UD2, which has as many bytes. The kernel then sends
 * SIGILL, and this handler runs CPUID and clears bits of the answer. Bits: Intel's Software Developer's Manual,
 * volume 2A, CPUID, leaf 7. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#define BIT(n) (1u << (n))

static const uint32_t
    /* Leaf 7, subleaf 0: AVX512 F, DQ, IFMA, PF, ER, CD, BW, VL. */
    EBX_0 = BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31),
    /* AVX512 VBMI, VBMI2, GFNI, VAES, VPCLMULQDQ, AVX512 VNNI, BITALG, VPOPCNTDQ. */
    ECX_0 = BIT(1) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14),
    /* AVX512 4VNNIW, 4FMAPS, VP2INTERSECT, AMX BF16, AVX512 FP16, AMX TILE, INT8. */
    EDX_0 = BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25),
    /* Subleaf 1: AVX-VNNI, AVX512 BF16, AMX FP16, AVX-IFMA. */
    EAX_1 = BIT(4) | BIT(5) | BIT(21) | BIT(23),
    /* AVX-VNNI-INT8, AVX-NE-CONVERT, AMX COMPLEX, AVX-VNNI-INT16, AVX10. */
    EDX_1 = BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19);

static void answer(int number, siginfo_t *information, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    if (code[0] != 0x0f || code[1] != 0x0b) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    uint32_t leaf = (uint32_t)registers[REG_RAX], subleaf = (uint32_t)registers[REG_RCX];
    uint32_t eax = leaf, ecx = subleaf, ebx, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (leaf == 7 && subleaf == 0) {
        ebx &= ~EBX_0;
        ecx &= ~ECX_0;
        edx &= ~EDX_0;
    } else if (leaf == 7 && subleaf == 1) {
        eax &= ~EAX_1;
        edx &= ~EDX_1;
    }
    registers[REG_RAX] = eax;
    registers[REG_RBX] = ebx;
    registers[REG_RCX] = ecx;
    registers[REG_RDX] = edx;
    registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = answer;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGILL, &action, 0);
}
