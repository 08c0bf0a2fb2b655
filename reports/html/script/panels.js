// The controls of the list: a drop-down for each facet, one for the columns, and what is chosen as chips.

const MANY = 12; // values; from here on a panel has a search of its own
const LISTED = 200;
const FIRST_FACETS = ["status", "severity", "incident", "cause", "fix", "site"]; // on a phone, where not all fit

/** A button with a panel that drops down; `fill` is asked for its content each time it opens. */
class DropDown {
  constructor(label, fill) {
    this.label = label;
    this.fill = fill;
    this.summary = element("summary", {}, label);
    this.panel = element("div", { class: "panel" });
    this.element = element("details", { class: "drop", name: "drop" }, this.summary, this.panel);
    this.element.addEventListener("toggle", () => this.refresh());
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.close(event));
  }

  get open() {
    return this.element.open;
  }

  refresh() {
    if (this.open) this.panel.replaceChildren(...this.fill());
  }

  close(event) {
    if (!this.open) return;
    event.stopPropagation();
    this.element.open = false;
    this.summary.focus();
  }

  /** A number on the button tells how many values are chosen. */
  badge(count) {
    this.summary.replaceChildren(this.label, count ? element("span", { class: "badge" }, `${count}`, element("span", { class: "unseen" }, " chosen")) : "");
  }
}

/** A row with a box to tick, its word and its count. */
function choice(word, count, checked, act) {
  const box = element("input", { type: "checkbox", checked });
  box.addEventListener("change", () => act(box.checked));
  return element("li", {}, element("label", {}, box, bdi(word), count === null ? "" : element("span", { class: "number quiet" }, grouped(count))));
}

/** A facet's panel: its values with their counts; long lists are searched. */
class FacetPanel extends DropDown {
  constructor(fleet, name, look, change) {
    super(labelOf(name), () => this.content());
    Object.assign(this, { fleet, name, look, change, query: "" });
    if (!FIRST_FACETS.includes(name)) this.element.classList.add("rare");
  }

  content() {
    const all = this.look().choices(this.name).map(([value, count]) => [value, count, wordOf(this.fleet, this.name, value)]);
    const list = element("ul", {}, this.items(all));
    if (all.length <= MANY) return [list];
    const box = element("input", { type: "search", "aria-label": `Search ${this.label.toLowerCase()}`, placeholder: `Search ${grouped(all.length)} values` });
    box.value = this.query;
    box.addEventListener("input", () => {
      this.query = box.value;
      list.replaceChildren(...this.items(all));
    });
    return [box, list];
  }

  items(all) {
    const wanted = this.look().state[this.name];
    const query = this.query.trim().toLowerCase();
    const found = all.filter(([value, , word]) => wanted.includes(value) || word.toLowerCase().includes(query));
    const items = found.slice(0, LISTED).map(([value, count, word]) => choice(word, count, wanted.includes(value), (checked) => this.choose(value, checked)));
    const rest = found.length - items.length;
    return rest > 0 ? [...items, element("li", { class: "quiet" }, `${grouped(rest)} more: search for them`)] : items;
  }

  choose(value, checked) {
    const rest = this.look().state[this.name].filter((each) => each !== value);
    this.change({ [this.name]: checked ? [...rest, value] : rest });
  }
}

/** Which columns the list shows. */
class ColumnPanel extends DropDown {
  constructor(columns, change) {
    super("Columns", () => this.content());
    this.element.classList.add("rare");
    Object.assign(this, { columns, change });
  }

  content() {
    const shown = this.columns();
    const items = Object.entries(COLUMNS).map(([name, { label }]) => choice(label, null, shown.includes(name), (checked) => this.choose(name, checked)));
    return [element("ul", {}, items)];
  }

  choose(name, checked) {
    const shown = this.columns();
    const columns = Object.keys(COLUMNS).filter((each) => (each === name ? checked : shown.includes(each)));
    this.change({ cols: columns.join() === USUAL.join() ? "" : columns.join(" ") });
  }
}

/** What is chosen, each with a cross that takes it back. */
function chips(fleet, state, change) {
  const made = [];
  for (const name of NAMES) {
    for (const value of state[name]) {
      const word = wordOf(fleet, name, value);
      const drop = () => change({ [name]: state[name].filter((each) => each !== value) });
      made.push(button([`${labelOf(name)}: `, bdi(word), element("span", { "aria-hidden": "true" }, " ✕")], { class: "chip", "aria-label": `Remove the filter ${labelOf(name)}: ${word}` }, drop));
    }
  }
  return made;
}
