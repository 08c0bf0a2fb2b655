// The fleet: tables of columns, and how their values are said. Nothing here touches the page.

const STANDING = ["new", "open", "reopened"];
const PARTS = ["sightings", "findings", "clauses", "disputes", "nights", "past"];
const GAPS = { n: "not_reported", p: "not_permitted", a: "absent", u: "unreadable" };
const FIRST_SIGHTING = "0".charCodeAt(0);
const FINGERPRINT = /^[0-9a-f]{32}$/;

class Fleet {
  constructor(bytes) {
    const length = new DataView(bytes.buffer).getUint32(0, true);
    Object.assign(this, JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))));
    const body = bytes.subarray(4 + length);
    const table = (name, rows) => tableOf(body, this.tables[name], rows);
    this.devices = table("devices", this.rows);
    this.starts = {};
    for (const part of PARTS) {
      this.starts[part] = sums(this.devices[part]);
      this[part] = table(part, this.starts[part][this.rows]);
    }
    this.body = body;
    this.values = new Map();
    this.devices.key.making = (row, how) => (how === 1 ? ["serial", this.text("serial", row).toUpperCase()] : ["udid", this.text("udid", row).toUpperCase()]);
    for (const name of ["fact_name", "fact_user_email"]) this.devices[name].owner = this.devices.fact_user_name;
    this.findings.id.making = (row) => ["finding", this.devices.key.at(this.owners[row]), this.findings.problem.at(row)];
  }

  /** The rows of `table` that belong to row `owner`. */
  rowsOf(table, owner) {
    const start = this.starts[table][owner];
    return Array.from({ length: this.starts[table][owner + 1] - start }, (_, place) => start + place);
  }

  /** A value of a finding's evidence, as it is stored; each name has a column, with a row for every finding that has it. */
  evidence(finding, name) {
    if (!this.values.has(name)) {
      const { entries, codes } = this.findings.evidence;
      const has = entries.map((entry) => (entry.split("\x1f").includes(name) ? 1 : 0));
      const starts = sums(codes.map((code) => has[code]));
      const spec = this.tables.evidence[name];
      this.values.set(name, { starts, column: MAKERS[spec.kind](this.body, spec, starts.at(-1)) });
    }
    const { starts, column } = this.values.get(name);
    return column.at(starts[finding]);
  }

  /** Per finding the row of its device. */
  get owners() {
    return settled(this, "owners", spread(this.starts.findings));
  }

  /** The device that a link names by its key or by the id of one of its findings, or -1. */
  find(id) {
    if (!FINGERPRINT.test(id)) return -1;
    const device = this.devices.key.rowAmongSorted(id);
    if (device >= 0) return device;
    const finding = this.findings.id.rowOf(id);
    return finding >= 0 ? this.owners[finding] : -1;
  }

  /** A device's standing findings. */
  standing(row) {
    return this.rowsOf("findings", row).filter((each) => STANDING.includes(this.findings.state.at(each)));
  }

  /** The steps of a device's plan, the first to try first. */
  plan(row) {
    const named = this.devices.plan.at(row);
    return named ? named.split(",").map((place) => this.step(row, this.steps[place])) : [];
  }

  step(row, stored) {
    const [id, audience, short] = stored.split("\x1f");
    // A reason that begins with a finding's summary only names the finding.
    const summary = (place) => this.findings.summary.at(this.starts.findings[row] + Number(place)).replace(/\.$/, "");
    return { id, audience, why: short.replace(/^\{(\d+)\}/, (_, place) => summary(place)), fix: this.fixes[id] };
  }

  /** The names of the sources that know a device, the one with the freshest facts first. */
  sources(row) {
    const { source, standing } = this.sightings;
    const counted = this.rowsOf("sightings", row).filter((each) => standing.at(each) !== "superseded");
    return [...new Set(counted.map((each) => source.at(each)))];
  }

  text(name, row) {
    return this.devices[`fact_${name}`].at(row);
  }

  name(row) {
    return this.text("name", row) || this.text("serial", row) || "(no name)";
  }

  model(row) {
    return this.text("model_name", row) || this.text("model_identifier", row);
  }

  /** The free share of the storage in percent, or null. */
  freePercent(row) {
    const { fact_capacity_bytes: sizes, fact_available_bytes: free } = this.devices;
    const [size, room] = [sizes[row] - 1, free[row] - 1];
    return size > 0 && room >= 0 && room <= size ? (100 * room) / size : null;
  }

  /** Minutes since 1970 of a code that counts from the device's observation; null for no value, "never" for never. */
  minutes(code, row) {
    if (code < 2) return code ? "never" : null;
    return this.devices.observed[row] + unfolded(code - 2);
  }

  lastBackup(row) {
    return this.minutes(this.devices.fact_last_cloud_backup_at[row], row);
  }

  /** When its backups stopped, as incidents count it, in minutes since 1970; null where they did not, or at no known time. */
  stoppedAt(row) {
    const code = this.devices.stopped[row];
    if (code < 2) return null;
    return code === 2 ? this.lastBackup(row) : this.minutes(code - 1, row);
  }

  /** The sighting that a signal's value is from; without a value, the one with the freshest facts. */
  sightingOf(name, row) {
    const place = this.signals.findIndex(([each]) => each === name);
    const mark = this.devices.shape.at(row)[place];
    return this.starts.sightings[row] + (mark in GAPS || mark === "o" ? 0 : mark.charCodeAt(0) - FIRST_SIGHTING);
  }

  /** The standing finding that says a device makes no backups, or undefined. */
  backupProblem(row) {
    return this.standing(row).find((each) => this.findings.problem.at(each) === "backup");
  }

  /** A signal's value, fit to be read, or null. */
  fact(name, kind, row) {
    const column = this.devices[`fact_${name}`];
    if (kind === "time") return this.moment(this.minutes(column[row], row));
    if (kind === "day") return column[row] ? this.day(column[row] * 1440) : null;
    if (kind === "list") return column.list(row).join(", ") || "none";
    if (kind === "text") return column.at(row) || null;
    if (!column[row]) return null;
    return kind === "percent" ? `${column[row] - 1} %` : this.size(column[row]);
  }

  /** "64.3 GB" of a size in steps, which are counted from one. */
  size(steps) {
    return size((steps - 1) * this.sizeStep);
  }

  /** "2026-11-22 02:00 UTC (9 days ago)", seen from the report's own moment, never from the reader's clock. */
  moment(minutes) {
    if (minutes === null || minutes === "never") return minutes;
    const iso = new Date(minutes * 60000).toISOString();
    return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC (${this.age(minutes)})`;
  }

  day(minutes) {
    return `${new Date(minutes * 60000).toISOString().slice(0, 10)} (${this.age(minutes)})`;
  }

  age(minutes) {
    const distance = this.asOf - minutes;
    for (const [length, unit] of [[1440, "day"], [60, "hour"], [1, "minute"]]) {
      const many = Math.floor(Math.abs(distance) / length);
      if (many >= 2) return `${grouped(many)} ${unit}s ${distance > 0 ? "ago" : "later"}`;
    }
    return "just then";
  }

  reason(code) {
    return this.words.reasons[code] ?? (code || "no reason given").replaceAll("_", " ");
  }

  check(id) {
    return id === "unexplained" ? this.words.unexplained : (this.checks[id]?.title ?? id);
  }
}

/** The number whose sign was folded into the lowest bit. */
function unfolded(code) {
  return code % 2 ? -(code + 1) / 2 : code / 2;
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

function size(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function counted(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}
