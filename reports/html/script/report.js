// The page: its state lives in the address, so that any view can be mailed.

const USUAL_STATE = { q: "", sort: "status", dir: "asc", cols: "", d: "" };

/** The place in the page that the address names, where it names one and not a view of the list. */
function place() {
  return document.getElementById(location.hash.slice(1));
}

function readState() {
  const given = new URLSearchParams(place() ? "" : location.hash.slice(1));
  const plain = Object.fromEntries(Object.entries(USUAL_STATE).map(([name, usual]) => [name, given.get(name) ?? usual]));
  return { ...plain, ...Object.fromEntries(NAMES.map((name) => [name, [...new Set(given.getAll(name))]])) };
}

function address(state) {
  const kept = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (Array.isArray(value)) value.forEach((each) => kept.append(name, each));
    else if (value !== USUAL_STATE[name]) kept.append(name, value);
  }
  return `#${kept}`;
}

class Page {
  constructor(fleet) {
    this.fleet = fleet;
    this.state = readState();
    const change = (difference) => this.change(difference);
    this.box = element("input", { type: "search", role: "searchbox", id: "search", autocomplete: "off", spellcheck: "false", placeholder: "Name, serial, user, model …" });
    this.facets = NAMES.filter((name) => isTold(fleet, name)).map((name) => new FacetPanel(fleet, name, () => this.look, change));
    this.columns = new ColumnPanel(() => columnsOf(this.state.cols), change);
    this.chips = element("div", { class: "chips" });
    this.count = element("p", { role: "status", class: "count" });
    this.clear = button("Clear filters", { class: "plain" }, () => this.change({ q: "", ...Object.fromEntries(NAMES.map((name) => [name, []])) }));
    this.list = new List(fleet, (name) => this.sort(name));
    this.dialog = document.getElementById("detail");
    this.build();
    this.listen();
    this.render();
    // A view that was mailed is what its reader came for.
    if (!this.clear.hidden && !this.state.d) document.getElementById("devices").scrollIntoView({ behavior: "instant" });
  }

  build() {
    const { facets, columns, chips: chosen, list, count, clear, box } = this;
    const searching = element("div", { class: "searching" }, element("label", { for: "search" }, "Search"), box);
    const drops = element("div", { class: "drops" }, [...facets, columns].map((each) => each.element));
    const form = element("form", { role: "search", class: "filters" }, searching, drops, allFilters(drops));
    form.addEventListener("submit", (event) => event.preventDefault());
    this.copy = copier("Copy serial numbers", () => this.serials(), { class: "plain" });
    const save = button("Download as CSV", { class: "plain" }, () => download("devices.csv", csvOf(this.fleet, this.list.rows)));
    const hint = element("p", { class: "quiet", id: "list-keys" }, "Arrow keys move through the list, Enter opens a device, / goes to the search.");
    const host = document.getElementById("list");
    host.append(form, element("div", { class: "line" }, count, chosen, clear, element("span", { class: "takes" }, this.copy, save)), list.element, hint);
    host.hidden = false;
    document.getElementById("worst").remove();
  }

  listen() {
    addEventListener("hashchange", () => this.follow());
    addEventListener("beforeprint", () => this.print());
    addEventListener("afterprint", () => this.showList());
    addEventListener("keydown", (event) => this.shortcut(event));
    addEventListener("click", (event) => this.closeDrops(event));
    narrow.addEventListener("change", () => this.showList());
    this.box.addEventListener("input", () => this.change({ q: this.box.value }));
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /** Takes up what a link in the page, or the address bar, asks for. */
  follow() {
    const before = this.state;
    if (place()) return;
    const asked = readState();
    // A device's link changes which device is open, and leaves the list as it stands; a count's keeps its columns.
    this.state = asked.d ? { ...before, d: asked.d } : { ...asked, cols: asked.cols || before.cols };
    if (asked.d) history.replaceState(null, "", address(this.state));
    this.render();
    if (!asked.d && !before.d) document.getElementById("devices").scrollIntoView();
  }

  change(difference) {
    this.state = { ...this.state, ...difference };
    history.replaceState(null, "", address(this.state));
    this.render();
  }

  sort(name) {
    const turned = this.state.sort === name && this.state.dir === "asc";
    this.change({ sort: name, dir: turned ? "desc" : "asc" });
  }

  render() {
    const { d, ...view } = this.state;
    const shown = JSON.stringify(view);
    if (shown !== this.shown) this.showList();
    this.shown = shown;
    if (d && d !== this.opened) this.open(d);
    if (!d && this.dialog.open) this.dialog.close();
  }

  showList() {
    const { fleet, state } = this;
    if (this.box.value !== state.q) this.box.value = state.q;
    this.look = new Look(fleet, state);
    const rows = this.look.passing(ordered(fleet, state.sort, state.dir));
    this.count.textContent = `${grouped(rows.length)} of ${counted(fleet.rows, "device")} shown`;
    this.clear.hidden = !state.q && !NAMES.some((name) => state[name].length);
    this.chips.replaceChildren(...chips(fleet, state, (difference) => this.change(difference)));
    for (const facet of this.facets) facet.badge(state[facet.name].length);
    for (const drop of [...this.facets, this.columns]) if (drop.open) this.keepFocus(drop);
    this.list.show(rows, columnsOf(state.cols), state.sort, state.dir);
  }

  /** Paper shows the devices of the view, or without any filter those at risk; it says how many, and where the rest is. */
  print() {
    const { fleet, list } = this;
    const risky = this.clear.hidden ? list.rows.filter((row) => fleet.devices.status.at(row) === "at_risk") : list.rows;
    const printed = list.print(risky);
    const rest = risky.length - printed;
    const which = this.clear.hidden ? "at risk" : "of the chosen view";
    this.count.textContent = `${counted(risky.length, "device")} ${which}, of ${grouped(fleet.rows)}${rest ? `; the first ${grouped(printed)} stand here, all of them in devices.csv` : ""}`;
  }

  /** A panel that is filled anew keeps the focus on the same box. */
  keepFocus(drop) {
    const boxes = () => [...drop.panel.querySelectorAll("input")];
    const label = document.activeElement?.closest?.("label")?.querySelector("bdi")?.textContent;
    drop.refresh();
    if (label !== undefined) boxes().find((box) => box.closest("label")?.querySelector("bdi")?.textContent === label)?.focus();
  }

  serials() {
    return [...this.list.rows].map((row) => this.fleet.text("serial", row)).filter(Boolean).join("\n");
  }

  open(id) {
    const row = this.fleet.find(id);
    const close = button("✕", { class: "close", "aria-label": "Close" }, () => this.dialog.close());
    const title = element("h2", { id: "detail-title", tabindex: "-1" }, bdi(row < 0 ? "Not in this report" : this.fleet.name(row)));
    const content = row < 0 ? [element("p", {}, "This report holds no device or finding with that id. A newer or an older report may.")] : detail(this.fleet, row);
    this.dialog.replaceChildren(element("div", { class: "sheet" }, element("div", { class: "sheet-head" }, title, close), content));
    Object.assign(this, { opened: id, openedRow: row });
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
    title.focus();
  }

  /** The address forgets the device, and the focus goes back to its row, or to the search where the list has no such row. */
  closed() {
    const row = this.openedRow;
    this.opened = undefined;
    this.change({ d: "" });
    if (row < 0 || !this.list.focusDevice(row)) this.box.focus();
  }

  closeDrops(event) {
    for (const { element: drop } of [...this.facets, this.columns]) if (!event.composedPath().includes(drop)) drop.open = false;
  }

  shortcut(event) {
    const typing = event.target.closest?.("input, select, textarea, dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.box.focus();
  }
}

/** What the first search would have to wait for, after the first picture, in slices that let anybody through. */
function warmUp(fleet) {
  for (const name of SEARCHED) setTimeout(() => fleet.devices[`fact_${name}`].folded);
  setTimeout(() => new Look(fleet, { ...readState(), q: "e" }));
}

/** On a phone only the first filters are there until the others are asked for. */
function allFilters(drops) {
  const made = button("More filters", { class: "plain all-filters", "aria-expanded": "false" }, () => {
    const all = drops.classList.toggle("all");
    made.setAttribute("aria-expanded", `${all}`);
    made.textContent = all ? "Fewer filters" : "More filters";
  });
  return made;
}

try {
  const fleet = new Fleet(await inflate(document.getElementById("fleet").textContent));
  new Page(fleet);
  performance.mark("usable"); // for those who measure
  requestAnimationFrame(() => warmUp(fleet));
} catch (error) {
  reportError(error);
  document.getElementById("devices").append(element("p", { class: "banner" }, "This browser cannot unfold the list of devices; the most urgent ones stand below."));
}
