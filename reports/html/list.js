// The list: which devices are shown, in what order, and the rows in sight. Outside text enters by textContent alone.

const ROW = 44;
const TALLEST = 8_000_000; // pixels; browsers stop scrolling exactly somewhere above this
const PRINTED = 500;
const SEARCHED = ["name", "serial", "user_name", "user_email", "model_name", "asset_tag", "site", "os_version", "udid"];

/** An element with attributes and children; strings become text, never markup. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

/** Icon and word; the colour only repeats what they say. */
function mark(code, [icon, word], extra = "") {
  return element("span", { class: `mark ${code}` }, element("span", { class: "icon", "aria-hidden": "true" }, icon), word + extra);
}

/** The filters: each turns the devices that pass it to 1, in a fresh array. */
const FILTERS = {
  status: (fleet, wanted) => equal(fleet.devices.status, wanted),
  reason: (fleet, wanted) => equal(fleet.devices.reason, wanted),
  source: (fleet, wanted) => owned(equal(fleet.sightings.source, wanted), spread(fleet.starts.sightings), fleet.rows),
};

function equal(column, wanted) {
  const code = column.codeOf(wanted);
  const { codes } = column;
  const flags = new Uint8Array(codes.length);
  if (code >= 0) for (let row = 0; row < codes.length; row += 1) flags[row] = codes[row] === code;
  return flags;
}

function owned(flags, owners, rows) {
  const passed = new Uint8Array(rows);
  flags.forEach((flag, row) => {
    if (flag) passed[owners[row]] = 1;
  });
  return passed;
}

/** Devices with one finding to which check, severity and state apply together; without a state, a standing one. */
function withFinding(fleet, { check, severity, state }) {
  const { findings } = fleet;
  const flags = new Uint8Array(findings.state.rows).fill(1);
  const keep = (passed) => flags.forEach((flag, row) => (flags[row] = flag & passed[row]));
  if (check) keep(equal(findings.check, check));
  if (severity) keep(equal(findings.severity, severity));
  if (state) keep(equal(findings.state, state));
  else keep(standing(findings.state));
  return owned(flags, fleet.owners, fleet.rows);
}

function standing(column) {
  const states = column.entries.map((state) => ["new", "open", "reopened"].includes(state));
  return Uint8Array.from(column.codes, (code) => states[code]);
}

/** Clears the flags of the devices in which some word of `query` occurs in none of the searched columns. */
function search(fleet, query, passed) {
  const columns = SEARCHED.map((name) => fleet.devices[`fact_${name}`]);
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const hit = new Uint8Array(fleet.rows);
    for (const { folded, codes } of columns) {
      const hits = new Uint8Array(folded.length);
      for (let entry = 0; entry < folded.length; entry += 1) hits[entry] = folded[entry].includes(word);
      if (hits.includes(1)) for (let row = 0; row < fleet.rows; row += 1) hit[row] |= hits[codes[row]];
    }
    for (let row = 0; row < fleet.rows; row += 1) passed[row] &= hit[row];
  }
  return passed;
}

/** A flag for each device: whether the state of the page asks for it. */
function filtered(fleet, state) {
  const filters = Object.keys(FILTERS).filter((name) => state[name]).map((name) => FILTERS[name](fleet, state[name]));
  if (state.check || state.severity || state.state) filters.push(withFinding(fleet, state));
  const passed = new Uint8Array(fleet.rows).fill(1);
  for (const filter of filters) filter.forEach((flag, row) => (passed[row] &= flag));
  return search(fleet, state.q, passed);
}

/** The columns of the list: how each sorts, and what its cell shows. */
const COLUMNS = [
  { name: "status", label: "Status", sorts: statusRanks, cell: statusCell },
  { name: "name", label: "Device", sorts: (fleet) => fleet.devices.fact_name.ranks, cell: nameCell },
  { name: "backup", label: "Last backup", sorts: backupRanks, cell: backupCell },
  { name: "cause", label: "Probable cause", sorts: (fleet) => fleet.devices.cause.ranks, cell: causeCell },
  { name: "system", label: "System", sorts: systemRanks, cell: (fleet, row) => fleet.text("os_version", row) },
  { name: "model", label: "Model", sorts: (fleet) => fleet.devices.fact_model_name.ranks, cell: (fleet, row) => fleet.text("model_name", row) },
  { name: "user", label: "User", sorts: (fleet) => fleet.devices.fact_user_name.ranks, cell: (fleet, row) => fleet.text("user_name", row) || fleet.text("user_email", row) },
  { name: "site", label: "Site", sorts: (fleet) => fleet.devices.fact_site.ranks, cell: (fleet, row) => fleet.text("site", row) },
  { name: "source", label: "Source", sorts: sourceRanks, cell: sourceCell },
];

function statusRanks(fleet) {
  const statuses = Object.keys(fleet.words.statuses);
  const severities = Object.keys(fleet.words.severities);
  const { status, severity } = fleet.devices;
  const grave = severity.entries.map((code) => (code ? severities.indexOf(code) : severities.length));
  const first = status.entries.map((code) => 10 * statuses.indexOf(code));
  return Float64Array.from({ length: fleet.rows }, (_, row) => first[status.codes[row]] + grave[severity.codes[row]]);
}

/** Never first, then the oldest; what is not known comes last. */
function backupRanks(fleet) {
  return Float64Array.from(fleet.devices.fact_last_cloud_backup_at, (code, row) => {
    const minutes = fleet.minutes(code, row);
    return minutes === "never" ? -1 : (minutes ?? Infinity);
  });
}

function systemRanks(fleet) {
  const { entries, codes } = fleet.devices.fact_os_version;
  const version = (text) => text.split(".").slice(0, 3).reduce((sum, part, place) => sum + (parseInt(part, 10) || 0) / 1000 ** place, 0);
  const ranks = entries.map((entry) => (entry ? version(entry) : Infinity));
  return Float64Array.from(codes, (code) => ranks[code]);
}

function sourceRanks(fleet) {
  const { ranks } = fleet.sightings.source;
  return Float64Array.from({ length: fleet.rows }, (_, row) => ranks[fleet.starts.sightings[row]] ?? Infinity);
}

function statusCell(fleet, row) {
  const status = fleet.devices.status.at(row);
  const severity = fleet.devices.severity.at(row);
  return [mark(status, fleet.words.statuses[status]), severity && element("small", {}, fleet.words.severities[severity][1])];
}

function nameCell(fleet, row) {
  const serial = fleet.text("serial", row) || fleet.text("udid", row);
  const link = element("a", { href: `#d=${fleet.devices.key.at(row)}`, tabindex: "-1" }, element("bdi", {}, deviceName(fleet, row)));
  return [link, serial && element("small", {}, element("bdi", {}, serial))];
}

function deviceName(fleet, row) {
  return fleet.text("name", row) || fleet.text("serial", row) || "(no name)";
}

function backupCell(fleet, row) {
  const minutes = fleet.minutes(fleet.devices.fact_last_cloud_backup_at[row], row);
  if (minutes === null) return "unknown";
  if (minutes === "never") return "never";
  return [fleet.age(minutes), element("small", {}, fleet.moment(minutes).slice(0, 16))];
}

function causeCell(fleet, row) {
  const cause = fleet.devices.cause.at(row);
  if (cause) return fleet.check(cause);
  const [finding] = [...fleet.rowsOf("findings", row)].filter((each) => ["new", "open", "reopened"].includes(fleet.findings.state.at(each)));
  if (finding !== undefined) return fleet.check(fleet.findings.check.at(finding));
  const reason = fleet.devices.reason.at(row);
  return reason ? fleet.reason(reason) : "";
}

function sourceCell(fleet, row) {
  return [...new Set([...fleet.rowsOf("sightings", row)].map((each) => fleet.sightings.source.at(each)))].join(", ");
}

/** All devices in the order of one column; equal ones stay in the order of their keys, nothing known comes last. */
function ordered(fleet, name, direction) {
  const column = COLUMNS.find((each) => each.name === name) ?? COLUMNS[0];
  column.orders ??= {};
  return (column.orders[direction] ??= sorted((column.ranks ??= column.sorts(fleet)), direction === "desc" ? -1 : 1));
}

function sorted(ranks, sign) {
  const keys = ranks.map((rank) => (rank === Infinity ? Infinity : sign * rank));
  return Uint32Array.from(keys.keys()).sort((a, b) => (keys[a] === keys[b] ? a - b : keys[a] < keys[b] ? -1 : 1));
}

/** The table: draws the rows in sight and nothing else. */
class List {
  constructor(fleet, onSort) {
    this.fleet = fleet;
    this.rows = new Uint32Array();
    this.active = 0;
    this.body = element("tbody");
    this.buttons = COLUMNS.map(({ name, label }) => element("button", { type: "button", "data-sort": name }, label));
    this.heads = COLUMNS.map(({ name }, place) => element("th", { scope: "col", class: `col-${name}` }, this.buttons[place]));
    this.table = element("table", { "aria-describedby": "list-keys" }, element("caption", { class: "unseen" }, "Devices"),
      element("thead", {}, element("tr", { "aria-rowindex": "1" }, this.heads)), this.body);
    this.frame = element("div", { class: "frame" }, this.table);
    this.tall = element("div", { class: "tall" }, this.frame);
    this.element = element("div", { class: "window" }, this.tall);
    this.element.addEventListener("scroll", () => this.draw(), { passive: true });
    this.body.addEventListener("keydown", (event) => this.move(event));
    this.body.addEventListener("click", (event) => this.open(event));
    this.buttons.forEach((button) => button.addEventListener("click", () => onSort(button.dataset.sort)));
    new ResizeObserver(() => this.measure()).observe(this.element);
  }

  show(rows, sort, direction) {
    this.rows = rows;
    this.active = 0;
    this.heads.forEach((head, place) => {
      if (COLUMNS[place].name !== sort) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", direction === "desc" ? "descending" : "ascending");
    });
    this.table.setAttribute("aria-rowcount", rows.length + 1);
    this.element.scrollTop = 0;
    this.measure();
  }

  /** Sizes follow the number of rows; more than fits into 8 million pixels is scrolled to scale. */
  measure() {
    const head = this.table.tHead.offsetHeight;
    const most = Math.max(5 * ROW, Math.floor(0.75 * innerHeight));
    this.element.style.height = `${Math.min(most, head + Math.max(1, this.rows.length) * ROW) + 2}px`;
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
    if (!this.rows.length) this.body.append(element("tr", {}, element("td", { colspan: COLUMNS.length }, "No device matches.")));
    const link = this.link(this.active);
    link?.setAttribute("tabindex", "0");
    if (focused) link?.focus({ preventScroll: true });
  }

  row(place) {
    const row = this.rows[place];
    const cells = COLUMNS.map(({ name, cell }) => element(name === "name" ? "th" : "td",
      { class: `col-${name}`, scope: name === "name" ? "row" : null }, this.wrapped(name, cell(this.fleet, row))));
    return element("tr", { "aria-rowindex": place + 2, "data-place": place }, cells);
  }

  wrapped(name, content) {
    return typeof content === "string" && name !== "status" ? element("bdi", {}, content) : [content].flat().filter(Boolean);
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

  /** For paper: the first rows of the view stand there whole. */
  print() {
    this.body.replaceChildren(...Array.from({ length: Math.min(PRINTED, this.rows.length) }, (_, place) => this.row(place)));
  }
}
