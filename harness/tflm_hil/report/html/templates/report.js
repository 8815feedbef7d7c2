(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);

  // The theme: as the system until somebody chooses, which is remembered where the browser lets it.
  const themes = { "": "as the system", light: "light", dark: "dark" };
  const memory = {
    get: () => { try { return localStorage.getItem("tflm-hil-theme") ?? ""; } catch { return ""; } },
    set: (theme) => { try { localStorage.setItem("tflm-hil-theme", theme); } catch { /* not remembered */ } },
  };
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    one("theme").textContent = `Theme: ${themes[theme]}`;
  };
  const button = one("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const names = Object.keys(themes);
    const next = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length];
    memory.set(next);
    show(next);
  });
  show(memory.get() in themes ? memory.get() : "");

  // A link to a run opens it.
  const openLinked = () => {
    const linked = one(location.hash.slice(1));
    if (linked?.matches("details")) {
      linked.hidden = false;
      linked.open = true;
      linked.scrollIntoView();
      linked.querySelector("summary").focus({ preventScroll: true });
    }
  };
  addEventListener("hashchange", openLinked);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#run-']");
    if (link && link.hash === location.hash) openLinked();
  });
  if (location.hash) openLinked();

  const filters = one("filters");
  if (!filters) return;
  filters.hidden = false;
  const runs = all("[data-run]");
  const filter = () => {
    const text = one("filter").value.trim().toLowerCase();
    const verdict = one("verdicts").value;
    const changed = one("changed").checked;
    for (const run of runs) {
      run.hidden = !run.dataset.run.toLowerCase().includes(text)
        || (verdict !== "" && run.dataset.verdict !== verdict)
        || (changed && run.dataset.changed === undefined);
    }
    const details = runs.filter((run) => run.matches("details"));
    one("found").textContent = `${details.filter((run) => !run.hidden).length} of ${details.length} runs`;
  };
  filters.addEventListener("input", filter);
  filter();
  for (const [id, open] of [["open", true], ["close", false]]) {
    one(id).addEventListener("click", () => {
      for (const run of all("details.run:not([hidden])")) run.open = open;
    });
  }

  // Each column heading becomes a button that sorts: numbers by value, all else by text.
  const key = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim().replaceAll(",", "");
  const compare = (a, b) => {
    const [x, y] = [Number.parseFloat(a), Number.parseFloat(b)];
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return Number.isNaN(x) ? a.localeCompare(b) : x - y;
  };
  for (const table of all("table.sortable")) {
    const headings = all("thead th", table);
    headings.forEach((heading, column) => {
      const sort = document.createElement("button");
      sort.type = "button";
      sort.append(...heading.childNodes);
      heading.append(sort);
      sort.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        for (const other of headings) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = all("tbody tr", table).map((row) => [key(row, column), row]);
        keyed.sort(([a], [b]) => (down ? compare(b, a) : compare(a, b)));
        table.tBodies[0].append(...keyed.map(([, row]) => row));
      });
    });
  }
})();
