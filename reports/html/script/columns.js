// Columns, unfolded from the page's data block when first asked for. Nothing here touches the page.

/** The bytes of the data block, inflated. */
async function inflate(base64) {
  const characters = atob(base64);
  const packed = new Uint8Array(characters.length);
  for (let at = 0; at < packed.length; at += 1) packed[at] = characters.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Computes once: the getter is replaced by its value. */
function settled(object, name, value) {
  Object.defineProperty(object, name, { value });
  return value;
}

/** Whole numbers whose bytes lie apart, the lowest first. */
function numbers(bytes, spec, rows) {
  const column = new Uint32Array(rows);
  spec.planes.forEach((start, place) => {
    const plane = bytes.subarray(start, start + rows);
    for (let row = 0; row < rows; row += 1) column[row] |= plane[row] << (8 * place);
  });
  return column;
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

/** Where each line of a text starts; one more at the end. */
function linesOf(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return Uint32Array.from(starts);
}

/** Text: each string is a line of it once, and per row there is the number of its line. */
class Text {
  constructor(bytes, spec, rows) {
    Object.assign(this, { bytes, spec, rows });
  }

  get text() {
    const { at, bytes: length, width, part: place } = this.spec;
    const part = this.bytes.subarray(at, at + length);
    const text = new TextDecoder().decode(width ? upright(part, this.rows, width) : part);
    // Several columns may share their lines, each reading its own part of them.
    return settled(this, "text", place === undefined ? text : text.replace(/.*\n/g, (line) => `${line.slice(0, -1).split("\x1e")[place] ?? ""}\n`));
  }

  get starts() {
    return settled(this, "starts", linesOf(this.text));
  }

  /** All lines. A large column is better read row by row. */
  get entries() {
    return settled(this, "entries", this.text.slice(0, -1).split("\n"));
  }

  get codes() {
    const codes = this.spec.codes
      ? numbers(this.bytes, this.spec.codes, this.rows)
      : Uint32Array.from({ length: this.rows }, (_, row) => row);
    return settled(this, "codes", codes);
  }

  get folded() {
    const text = this.text.toLowerCase();
    return settled(this, "folded", { text, starts: linesOf(text) }); // some capitals become two small letters
  }

  /** Calls `hit` for each line in which a word occurs; the whole text is looked through at once. */
  search(word, hit) {
    const { text, starts } = this.folded;
    let line = 0;
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, starts[line])) {
      line = lastUpTo(starts, at, line);
      hit(line);
      line += 1;
    }
  }

  /** Per row its place in the order of the alphabet; equal texts share one, empty ones come last. */
  get ranks() {
    const { codes, entries } = this;
    const folded = entries.map((entry) => entry.toLowerCase());
    const order = [...folded.keys()].sort((a, b) => (folded[a] < folded[b] ? -1 : folded[a] > folded[b] ? 1 : 0));
    const rank = new Float64Array(folded.length);
    order.forEach((entry, place) => {
      const before = order[place - 1];
      rank[entry] = place && folded[before] === folded[entry] ? rank[before] : place;
    });
    return settled(this, "ranks", Float64Array.from(codes, (code) => (folded[code] ? rank[code] : Infinity)));
  }

  at(row) {
    const { text, starts } = this;
    const line = this.spec.codes ? this.codes[row] : row;
    return text.slice(starts[line], starts[line + 1] - 1);
  }

  list(row) {
    const entry = this.at(row);
    return entry ? entry.split("\x1f") : [];
  }
}

/** The last place in a rising list, from `low` on, whose value is not above `value`; steps double, then halve. */
function lastUpTo(list, value, low) {
  let step = 1;
  while (low + step < list.length && list[low + step] <= value) step *= 2;
  for (; step >= 1; step >>= 1) if (low + step < list.length && list[low + step] <= value) low += step;
  return low;
}

/** Sentences: a wording, and the numbers that stand in its places. */
class Phrases {
  constructor(bytes, spec, rows) {
    Object.assign(this, { bytes, spec, rows, wordings: new Text(bytes, spec.wordings, rows) });
  }

  get numbers() {
    return settled(this, "numbers", numbers(this.bytes, this.spec.numbers, this.spec.count));
  }

  get starts() {
    const places = this.wordings.entries.map((wording) => wording.split("\x1d").length - 1);
    return settled(this, "starts", sums(this.wordings.codes.map((code) => places[code])));
  }

  at(row) {
    let place = this.starts[row];
    return this.wordings.at(row).replace(/\x1d/g, () => this.numbers[place++]);
  }
}

/** Texts made from a person's name; \x1c and a letter stand for a word of it. `owner` is the column of names. */
class Personal extends Text {
  constructor(bytes, spec, rows) {
    super(bytes, { codes: null }, rows);
    this.phrases = new Phrases(bytes, spec, rows);
  }

  get text() {
    const lines = Array.from({ length: this.rows }, (_, row) => this.said(row));
    return settled(this, "text", lines.map((line) => `${line}\n`).join(""));
  }

  at(row) {
    return this.said(row);
  }

  said(row) {
    const text = this.phrases.at(row);
    return text.includes("\x1c") ? text.replace(/\x1c([a-g])/g, (_, place) => wordOfName(this.owner.at(row), place)) : text;
  }
}

/** A word of a name, as it is spelt or, from `e` on, as addresses spell it: small letters without accents. */
function wordOfName(name, place) {
  const number = "abcdefg".indexOf(place);
  const spelt = number < 4 ? name : name.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase();
  return spelt.split(" ")[number % 4];
}

/** Fingerprints; most are not stored, but made again from what they stand for. `making` gives that for a row. */
class Prints {
  constructor(bytes, spec, rows) {
    Object.assign(this, { bytes, spec, rows });
  }

  get hows() {
    return settled(this, "hows", numbers(this.bytes, this.spec.hows, this.rows));
  }

  /** Per row how many whole fingerprints stand before its own. */
  get before() {
    return settled(this, "before", sums(this.hows.map((how) => (how ? 0 : 1))));
  }

  at(row) {
    if (this.hows[row]) return fingerprint(...this.making(row, this.hows[row]));
    const start = this.spec.at + 16 * this.before[row];
    return [...this.bytes.subarray(start, start + 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** The row whose fingerprint `wanted` is, or -1; every row may have to be made for it. */
  rowOf(wanted) {
    for (let row = 0; row < this.rows; row += 1) if (this.at(row) === wanted) return row;
    return -1;
  }

  /** The same where the rows stand in the order of their fingerprints: a handful are made. */
  rowAmongSorted(wanted) {
    let [low, high] = [0, this.rows];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) < wanted) low = middle + 1;
      else high = middle;
    }
    return low < this.rows && this.at(low) === wanted ? low : -1;
  }
}

/** A table of columns, each made when it is first asked for. */
function tableOf(bytes, specs, rows) {
  const table = {};
  for (const [name, spec] of Object.entries(specs)) {
    const make = () => settled(table, name, MAKERS[spec.kind](bytes, spec, rows));
    Object.defineProperty(table, name, { configurable: true, get: make });
  }
  return table;
}

const MAKERS = {
  numbers,
  text: (bytes, spec, rows) => new Text(bytes, spec, rows),
  phrases: (bytes, spec, rows) => new Phrases(bytes, spec, rows),
  personal: (bytes, spec, rows) => new Personal(bytes, spec, rows),
  prints: (bytes, spec, rows) => new Prints(bytes, spec, rows),
};
