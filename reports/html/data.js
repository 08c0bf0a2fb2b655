// The fleet: columns unfolded from the page's data block. Nothing here touches the page.

/** The bytes of the data block, inflated. */
async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Whole numbers whose bytes lie apart, the lowest first. */
function numbers(bytes, spec, rows) {
  const column = new Uint32Array(rows);
  spec.planes.forEach((start, place) => {
    for (let row = 0; row < rows; row += 1) column[row] |= bytes[start + row] << (8 * place);
  });
  return column;
}

/** Lines whose bytes lie apart, all first bytes first; the short ones are filled up with zeros. */
function upright(part, rows, width) {
  const lines = new Uint8Array(part.length + rows);
  let end = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let place = row; place < part.length && part[place]; place += rows) lines[end++] = part[place];
    lines[end++] = 10;
  }
  return lines.subarray(0, end);
}

/** Text: `entries` once each, and per row the number of its entry. Decoded when first asked for. */
class Text {
  constructor(bytes, spec, rows) {
    Object.assign(this, { bytes, spec, rows });
  }

  get entries() {
    const { at, bytes: length, width } = this.spec;
    const part = this.bytes.subarray(at, at + length);
    const lines = new TextDecoder().decode(width ? upright(part, this.rows, width) : part).split("\n");
    lines.pop();
    const { part: place } = this.spec; // several columns may share their entries, each reading its own part
    return settled(this, "entries", place === undefined ? lines : lines.map((line) => line.split("\x1e")[place] ?? ""));
  }

  get codes() {
    const codes = this.spec.codes
      ? numbers(this.bytes, this.spec.codes, this.rows)
      : Uint32Array.from({ length: this.rows }, (_, row) => row);
    return settled(this, "codes", codes);
  }

  get folded() {
    return settled(this, "folded", this.entries.map((entry) => entry.toLowerCase()));
  }

  /** Per row its place in the order of the alphabet; equal texts share one, empty ones come last. */
  get ranks() {
    const { folded, codes } = this;
    const order = [...folded.keys()].sort((a, b) => (folded[a] < folded[b] ? -1 : folded[a] > folded[b] ? 1 : 0));
    const rank = new Float64Array(folded.length);
    order.forEach((entry, place) => {
      const before = order[place - 1];
      rank[entry] = place && folded[before] === folded[entry] ? rank[before] : place;
    });
    return settled(this, "ranks", Float64Array.from(codes, (code) => (folded[code] ? rank[code] : Infinity)));
  }

  at(row) {
    return this.entries[this.codes[row]];
  }

  list(row) {
    const entry = this.at(row);
    return entry ? entry.split("\x1f") : [];
  }

  /** The number of the entry that reads `value`, or -1. */
  codeOf(value) {
    return this.entries.indexOf(value);
  }
}

/** Fingerprints; a large table keeps only their first digits. */
class Ids {
  constructor(bytes, spec, rows) {
    Object.assign(this, { bytes, planes: spec.planes, rows, whole: spec.planes.length === 16 });
  }

  at(row) {
    return this.planes.map((start) => this.bytes[start + row].toString(16).padStart(2, "0")).join("");
  }

  /** The row whose fingerprint `wanted` is, or -1. */
  rowOf(wanted) {
    if (!/^[0-9a-f]+$/.test(wanted) || wanted.length < 2 * this.planes.length) return -1;
    const bytes = this.planes.map((_, place) => parseInt(wanted.slice(2 * place, 2 * place + 2), 16));
    const fits = (row) => this.planes.every((start, place) => this.bytes[start + row] === bytes[place]);
    for (let row = 0; row < this.rows; row += 1) if (fits(row)) return row;
    return -1;
  }
}

const MAKERS = {
  numbers,
  text: (bytes, spec, rows) => new Text(bytes, spec, rows),
  ids: (bytes, spec, rows) => new Ids(bytes, spec, rows),
};

class Fleet {
  constructor(bytes) {
    const length = new DataView(bytes.buffer).getUint32(0, true);
    Object.assign(this, JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))));
    const body = bytes.subarray(4 + length);
    const table = (name, rows) =>
      Object.fromEntries(Object.entries(this.tables[name]).map(([key, spec]) => [key, MAKERS[spec.kind](body, spec, rows)]));
    this.devices = table("devices", this.rows);
    this.starts = { sightings: sums(this.devices.sightings), findings: sums(this.devices.findings) };
    this.sightings = table("sightings", this.starts.sightings[this.rows]);
    this.findings = table("findings", this.starts.findings[this.rows]);
    const { evidence } = this.findings;
    const pieces = Uint32Array.from({ length: this.starts.findings[this.rows] }, (_, row) => evidence.list(row).length);
    this.starts.evidence = sums(pieces);
    this.evidence = table("evidence", this.starts.evidence[pieces.length]);
  }

  /** The rows of `table` that belong to row `owner`. */
  *rowsOf(table, owner) {
    for (let row = this.starts[table][owner]; row < this.starts[table][owner + 1]; row += 1) yield row;
  }

  /** Per finding the row of its device. */
  get owners() {
    return settled(this, "owners", spread(this.starts.findings));
  }

  /** The device that a link names by its key or by the id of one of its findings, or -1. */
  find(id) {
    const device = this.devices.key.rowOf(id);
    if (device >= 0) return device;
    const finding = this.findings.id.rowOf(id);
    return finding >= 0 ? this.owners[finding] : -1;
  }

  text(name, row) {
    return this.devices[`fact_${name}`].at(row);
  }

  /** Minutes since 1970 of a code that counts from the device's observation; null for no value, "never" for never. */
  minutes(code, row) {
    if (code < 2) return code ? "never" : null;
    const folded = code - 2;
    return this.devices.observed[row] + (folded % 2 ? -(folded + 1) / 2 : folded / 2);
  }

  /** A signal's value, fit to be read, or null. */
  fact(name, kind, row) {
    const column = this.devices[`fact_${name}`];
    if (kind === "time") return this.moment(this.minutes(column[row], row));
    if (kind === "day") return column[row] ? this.day(column[row] * 1440) : null;
    if (kind === "list") return column.list(row).join(", ") || "none";
    if (kind === "text") return column.at(row) || null;
    if (!column[row]) return null;
    return kind === "percent" ? `${column[row] - 1} %` : size((column[row] - 1) * this.sizeStep);
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
    return id === "unexplained" ? "Unexplained" : (this.checks[id]?.title ?? id);
  }
}

/** Computes once: the getter is replaced by its value. */
function settled(object, name, value) {
  Object.defineProperty(object, name, { value });
  return value;
}

/** Where each row's parts start in a table of parts; one more at the end. */
function sums(counts) {
  const starts = new Uint32Array(counts.length + 1);
  counts.forEach((count, row) => {
    starts[row + 1] = starts[row] + count;
  });
  return starts;
}

/** The other way round: per part the row that it belongs to. */
function spread(starts) {
  const owners = new Uint32Array(starts[starts.length - 1]);
  for (let owner = 0; owner + 1 < starts.length; owner += 1) owners.fill(owner, starts[owner], starts[owner + 1]);
  return owners;
}

function grouped(number) {
  return number.toLocaleString("en-US");
}

function size(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function counted(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}
