// The list draws the rows in sight and nothing else.

const ROW = 44;
const TALLEST = 8_000_000; // pixels; browsers stop scrolling exactly somewhere above this
const PRINTED = 500;

class List {
  constructor(fleet, onSort) {
    this.fleet = fleet;
    this.rows = new Uint32Array();
    this.active = 0;
    this.onSort = onSort;
    this.head = element("tr", { "aria-rowindex": "1" });
    this.body = element("tbody");
    this.table = element("table", { "aria-describedby": "list-keys" }, element("caption", { class: "unseen" }, "Devices"), element("thead", {}, this.head), this.body);
    this.frame = element("div", { class: "frame" }, this.table);
    this.tall = element("div", { class: "tall" }, this.frame);
    this.element = element("div", { class: "window" }, this.tall);
    this.element.addEventListener("scroll", () => this.onPaper || this.draw(), { passive: true });
    this.body.addEventListener("keydown", (event) => this.move(event));
    this.body.addEventListener("click", (event) => this.open(event));
    new ResizeObserver(() => this.measure()).observe(this.element);
  }

  show(rows, columns, sort, direction) {
    this.onPaper = false;
    this.rows = rows;
    this.active = 0;
    if (columns.join() !== this.columns?.join()) this.setColumns(columns);
    for (const head of this.head.children) {
      if (head.dataset.column !== sort) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", direction === "desc" ? "descending" : "ascending");
    }
    this.table.setAttribute("aria-rowcount", rows.length + 1);
    this.element.scrollTop = 0;
    this.measure();
  }

  setColumns(columns) {
    this.columns = columns;
    const width = columns.reduce((sum, name) => sum + COLUMNS[name].width, 0);
    const heads = columns.map((name) => {
      const head = element("th", { scope: "col", "data-column": name }, button(COLUMNS[name].label, { "data-sort": name }, () => this.onSort(name)));
      head.style.width = `${(100 * COLUMNS[name].width) / width}%`;
      return head;
    });
    this.head.replaceChildren(...heads);
    // Columns give way to a fifth; what then is still too wide is scrolled sideways within the list.
    this.tall.style.minWidth = columns === PHONE || columns === PAPER ? "" : `${0.8 * width}rem`;
  }

  /** Sizes follow the number of rows; more than fits into 8 million pixels is scrolled to scale. */
  measure() {
    if (this.onPaper) return;
    const head = this.table.tHead.offsetHeight;
    const most = Math.max(5 * ROW, Math.floor(0.75 * innerHeight));
    const bar = this.element.offsetHeight - this.element.clientHeight; // of a sideways scroll, and the borders
    this.element.style.height = `${Math.min(most, head + Math.max(1, this.rows.length) * ROW) + bar}px`;
    this.inSight = Math.max(1, Math.floor((this.element.clientHeight - head) / ROW));
    this.tall.style.height = `${Math.min(TALLEST, head + this.rows.length * ROW)}px`;
    this.frame.style.height = `${this.element.clientHeight}px`;
    this.draw();
  }

  get last() {
    return Math.max(0, this.rows.length - this.inSight);
  }

  get reach() {
    return Math.max(1, this.tall.offsetHeight - this.element.clientHeight);
  }

  draw() {
    const first = Math.min(this.last, Math.round((this.element.scrollTop / this.reach) * this.last));
    const focused = this.body.contains(document.activeElement);
    this.first = first;
    const until = Math.min(this.rows.length, first + this.inSight + 1);
    this.active = Math.min(Math.max(this.active, first), Math.max(first, Math.min(until, first + this.inSight) - 1));
    this.body.replaceChildren(...Array.from({ length: until - first }, (_, offset) => this.row(first + offset)));
    if (!this.rows.length) this.body.append(element("tr", {}, element("td", { colspan: this.columns.length }, "No device matches.")));
    const link = this.link(this.active);
    link?.setAttribute("tabindex", "0");
    if (focused) link?.focus({ preventScroll: true });
  }

  row(place) {
    const row = this.rows[place];
    const cells = this.columns.map((name) => {
      const content = COLUMNS[name].cell(this.fleet, row);
      const inside = typeof content === "string" ? bdi(content) : content;
      return name === "name" ? element("th", { scope: "row" }, inside) : element("td", {}, inside);
    });
    return element("tr", { "aria-rowindex": place + 2, "data-place": place }, cells);
  }

  link(place) {
    return this.body.querySelector(`tr[data-place="${place}"] a`);
  }

  /** Brings a place into sight and the focus to it. */
  focus(place) {
    this.active = Math.min(Math.max(0, place), this.rows.length - 1);
    if (this.active < this.first || this.active >= this.first + this.inSight) {
      const first = this.active < this.first ? this.active : this.active - this.inSight + 1;
      this.element.scrollTop = this.last ? (first / this.last) * this.reach : 0;
      this.draw();
    }
    this.body.querySelectorAll('a[tabindex="0"]').forEach((link) => link.setAttribute("tabindex", "-1"));
    const link = this.link(this.active);
    link?.setAttribute("tabindex", "0");
    link?.focus({ preventScroll: true });
  }

  /** Focus on the row of a device; false where the list does not show it. */
  focusDevice(row) {
    const place = this.rows.indexOf(row);
    if (place >= 0) this.focus(place);
    return place >= 0;
  }

  move(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: this.inSight, PageUp: -this.inSight, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.focus(Number.isFinite(step) ? this.active + step : step < 0 ? 0 : this.rows.length - 1);
  }

  /** A click anywhere in a row opens its device. */
  open(event) {
    const place = event.target.closest("tr[data-place]")?.dataset.place;
    if (place === undefined || event.target.closest("a") || String(getSelection())) return;
    this.active = Number(place);
    this.link(place).click();
  }

  /** For paper: the first of these rows stand there whole; the answer is how many. */
  print(rows) {
    this.onPaper = true; // paper is another size, and must not bring the rows in sight back
    this.rows = rows.slice(0, PRINTED);
    this.setColumns(PAPER);
    this.body.replaceChildren(...Array.from(this.rows, (_, place) => this.row(place)));
    return this.rows.length;
  }
}
