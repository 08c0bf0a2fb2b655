// Fingerprints of devices and findings, made from what they stand for, as the program makes them.
// The browser's own SHA-256 is missing where a page came over an unprotected line, and answers one at a time.

/** The fractional bits of the roots of the first primes: the constants of FIPS 180-4, §4.2.2 and §5.3.3. */
const [ROUNDS, STATE] = (() => {
  const primes = [];
  for (let number = 2; primes.length < 64; number += 1) if (primes.every((prime) => number % prime)) primes.push(number);
  const fraction = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  return [Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))), Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)))];
})();
const SCHEDULE = new Int32Array(64);
const ENCODER = new TextEncoder();

/** The first 32 hex digits of the SHA-256 of the parts, joined by U+001F. */
function fingerprint(...parts) {
  const text = ENCODER.encode(parts.join("\x1f"));
  const padded = new Uint8Array(((text.length + 72) >> 6) << 6); // room for the end mark and the length
  padded.set(text);
  padded[text.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, text.length * 8);
  const state = Int32Array.from(STATE);
  for (let start = 0; start < padded.length; start += 64) compress(state, view, start);
  let hex = "";
  for (let at = 0; at < 4; at += 1) hex += (state[at] >>> 0).toString(16).padStart(8, "0");
  return hex;
}

/** One block of 64 bytes: FIPS 180-4, §6.2.2; written out, because a large fleet is looked through one by one. */
function compress(state, view, start) {
  const words = SCHEDULE;
  for (let at = 0; at < 16; at += 1) words[at] = view.getInt32(start + 4 * at);
  for (let at = 16; at < 64; at += 1) {
    const early = words[at - 15];
    const late = words[at - 2];
    words[at] = words[at - 16] + words[at - 7] + (turned(early, 7) ^ turned(early, 18) ^ (early >>> 3)) + (turned(late, 17) ^ turned(late, 19) ^ (late >>> 10));
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let at = 0; at < 64; at += 1) {
    const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[at] + words[at]) | 0;
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

function turned(word, by) {
  return (word >>> by) | (word << (32 - by));
}
