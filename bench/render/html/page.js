"use strict";
// Draws the charts, and makes the table sort and filter. Nothing is fetched; without it the tables still stand.
(() => {
  const unpacked = (id) => {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const unpackAll = async () => {
    const library = document.createElement("script");
    library.textContent = await unpacked("library");
    document.head.append(library); // which runs it
    return JSON.parse(await unpacked("charts"));
  };
  const unpacking = unpackAll();
  const views = {};
  const places = [...document.querySelectorAll("[data-chart]")];
  const drawn = places.map(async (place) => {
    const specifications = await unpacking;
    const key = place.dataset.chart;
    const { view } = await vegaEmbed(place, specifications[key], { actions: false, renderer: "svg", mode: "vega-lite" });
    place.querySelector("svg").setAttribute("aria-hidden", "true"); // the figure says in words what it shows
    views[key] = view;
    place.closest("figure").querySelector(".downloads").hidden = false;
  });
  Promise.allSettled(drawn).then((ends) => {
    ends.forEach((end, index) => {
      if (end.status === "fulfilled") return;
      places[index].textContent = "This chart could not be drawn; its numbers are below.";
      console.error(end.reason);
    });
    document.documentElement.setAttribute("data-drawn", "");
  });

  const save = async (key, type) => {
    const view = views[key];
    view.background("white").run();
    const address = await view.toImageURL(type, 2);
    view.background("transparent").run();
    const link = document.createElement("a");
    link.href = address;
    link.download = `edgefit-${key}.${type}`;
    link.click();
  };
  for (const button of document.querySelectorAll("[data-download]")) {
    button.addEventListener("click", () => save(button.dataset.of, button.dataset.download));
  }

  const table = document.getElementById("rows");
  const body = table.tBodies[0];
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const isNumber = cell.dataset.value !== undefined;
    return isNumber ? Number(cell.dataset.value) : cell.textContent.trim();
  };
  // Cells without a value stay last, whichever way the column is sorted.
  const isEmpty = (value) => value === "–";
  const compare = (one, other) =>
    typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
  const sort = (heading, column) => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
    rows.sort(([one], [other]) =>
      isEmpty(one) || isEmpty(other) ? isEmpty(one) - isEmpty(other) : up ? compare(one, other) : compare(other, one));
    body.append(...rows.map(([, row]) => row));
  };
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading, column));
  });

  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      count += !row.hidden;
    }
    shown.textContent = `${count} of ${body.rows.length} rows`;
  };
  filter.addEventListener("input", apply);
  document.querySelector(".filters").hidden = false;
  apply();

  // On paper everything that is there is open.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open], .numbers)")];
    closed.forEach((one) => one.setAttribute("open", ""));
  });
  addEventListener("afterprint", () => closed.forEach((one) => one.removeAttribute("open")));
})();
