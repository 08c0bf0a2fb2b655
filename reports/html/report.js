// The page: its state lives in the address, so that any view can be mailed.

const DEFAULTS = { q: "", status: "", check: "", severity: "", state: "", reason: "", source: "", sort: "status", dir: "asc", d: "" };

/** The place in the page that the address names, where it names one and not a view of the list. */
function place() {
  return document.getElementById(location.hash.slice(1));
}

function readState() {
  const given = new URLSearchParams(place() ? "" : location.hash.slice(1));
  return Object.fromEntries(Object.entries(DEFAULTS).map(([name, usual]) => [name, given.get(name) ?? usual]));
}

function address(state) {
  const kept = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  return `#${new URLSearchParams(kept)}`;
}

class Page {
  constructor(fleet) {
    this.fleet = fleet;
    this.state = readState();
    this.box = element("input", { type: "search", role: "searchbox", id: "search", autocomplete: "off", spellcheck: "false", placeholder: "Name, serial, user, model …" });
    this.selects = this.makeSelects();
    this.count = element("p", { role: "status", class: "count" });
    this.clear = element("button", { type: "button" }, "Clear filters");
    this.list = new List(fleet, (name) => this.sort(name));
    this.dialog = document.getElementById("detail");
    this.build();
    this.listen();
    this.render();
  }

  makeSelects() {
    const { words, checks, devices, findings, sightings } = this.fleet;
    const used = (column) => column.entries.filter(Boolean);
    const named = (codes, word) => codes.map((code) => [code, word(code)]);
    const order = (table) => Object.keys(table);
    return {
      status: this.select("Status", named(order(words.statuses), (code) => words.statuses[code][1])),
      check: this.select("Finding", named(order(checks).concat(used(findings.check).filter((id) => !(id in checks))), (id) => this.fleet.check(id))),
      severity: this.select("Severity", named(order(words.severities), (code) => words.severities[code][1])),
      state: this.select("Finding's state", named(used(findings.state), (code) => words.states[code] ?? code)),
      reason: this.select("Why not judged", named(used(devices.reason), (code) => this.fleet.reason(code))),
      source: this.select("Source", named(used(sightings.source), (name) => name)),
    };
  }

  select(label, options) {
    const id = `filter-${label.toLowerCase().replace(/\W+/g, "-")}`;
    const made = element("select", { id }, element("option", { value: "" }, "any"), options.map(([value, word]) => element("option", { value }, word)));
    made.field = element("div", {}, element("label", { for: id }, label), made);
    return made;
  }

  build() {
    const hint = element("p", { class: "quiet", id: "list-keys" }, "Arrow keys move through the list, Enter opens a device, / goes to the search.");
    const searching = element("div", { class: "wide" }, element("label", { for: "search" }, "Search"), this.box);
    const form = element("form", { role: "search", class: "filters" }, searching, Object.values(this.selects).map(({ field }) => field), this.clear);
    form.addEventListener("submit", (event) => event.preventDefault());
    const host = document.getElementById("list");
    host.append(form, this.count, this.list.element, hint);
    host.hidden = false;
    document.getElementById("worst").remove();
  }

  listen() {
    addEventListener("hashchange", () => this.follow());
    addEventListener("beforeprint", () => this.list.print());
    addEventListener("afterprint", () => this.list.draw());
    addEventListener("keydown", (event) => this.shortcut(event));
    this.box.addEventListener("input", () => this.change({ q: this.box.value }));
    this.clear.addEventListener("click", () => this.change({ ...DEFAULTS, sort: this.state.sort, dir: this.state.dir }));
    for (const [name, select] of Object.entries(this.selects)) select.addEventListener("change", () => this.change({ [name]: select.value }));
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /** Takes up what a link in the page, or the address bar, asks for. */
  follow() {
    const before = this.state;
    if (place()) return;
    const asked = readState();
    // A device's link changes which device is open, and leaves the list as it stands.
    this.state = asked.d ? { ...before, d: asked.d } : asked;
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
    for (const [name, select] of Object.entries(this.selects)) select.value = state[name];
    const passed = filtered(fleet, state);
    const rows = ordered(fleet, state.sort, state.dir).filter((row) => passed[row]);
    this.count.textContent = `${grouped(rows.length)} of ${counted(fleet.rows, "device")} shown`;
    this.clear.hidden = !["q", ...Object.keys(this.selects)].some((name) => state[name]);
    this.list.show(rows, state.sort, state.dir);
  }

  open(id) {
    const row = this.fleet.find(id);
    const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "✕");
    const title = element("h2", { id: "detail-title", tabindex: "-1" }, element("bdi", {}, row < 0 ? "Not in this report" : deviceName(this.fleet, row)));
    const content = row < 0 ? [element("p", {}, "This report holds no device or finding with that id. A newer or an older report may.")] : detail(this.fleet, row);
    close.addEventListener("click", () => this.dialog.close());
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

  shortcut(event) {
    const typing = event.target.closest?.("input, select, textarea, dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.box.focus();
  }
}

try {
  new Page(new Fleet(await inflate(document.getElementById("fleet").textContent)));
} catch (error) {
  reportError(error);
  document.getElementById("devices").append(element("p", { class: "banner" }, "This browser cannot unfold the list of devices; the most urgent ones stand below."));
}
