// One device: the verdict, what was found, what to do, and every fact with where it is from.

const FIRST_SIGHTING = "0".charCodeAt(0);
const GAPS = { n: "not_reported", p: "not_permitted", a: "absent", u: "unreadable" };

/** What the dialog holds for one device. */
function detail(fleet, row) {
  return [
    element("p", { class: "verdict" }, mark(fleet.devices.status.at(row), fleet.words.statuses[fleet.devices.status.at(row)]), " ", verdict(fleet, row)),
    ...section("Findings", findings(fleet, row)),
    ...section("What to do", plan(fleet, row)),
    ...section("Known facts", facts(fleet, row)),
    ...section("Unknown facts", unknown(fleet, row)),
    ...section("Where this is from", sightings(fleet, row)),
  ];
}

function section(title, content) {
  return content ? [element("h3", {}, title), content] : [];
}

function verdict(fleet, row) {
  const status = fleet.devices.status.at(row);
  const reason = fleet.devices.reason.at(row);
  const cause = fleet.devices.cause.at(row);
  const sentence = fleet.words.verdicts[status] ?? status;
  if (status === "unknown" || status === "not_applicable") return `${sentence}: ${fleet.reason(reason)}.`;
  if (cause === "unexplained") return `${sentence} Nothing that can be observed explains it.`;
  return cause ? `${sentence} Most probable cause: ${fleet.check(cause)}.` : sentence;
}

function findings(fleet, row) {
  const each = [...fleet.rowsOf("findings", row)].map((finding) => findingItem(fleet, row, finding));
  return each.length ? element("ul", { class: "findings" }, each) : element("p", {}, "None.");
}

function findingItem(fleet, row, finding) {
  const read = (name) => fleet.findings[name].at(finding);
  const severity = read("severity");
  const check = read("check");
  return element("li", { class: read("state") },
    element("h4", {}, mark(severity, fleet.words.severities[severity]), " ", fleet.check(check)),
    element("p", {}, element("bdi", {}, read("summary"))),
    pairs([...life(fleet, row, finding), ...evidence(fleet, row, finding)]),
    element("p", { class: "quiet" }, [fleet.words.bases[read("basis")], fleet.checks[check]?.rule].filter(Boolean).join(" ")));
}

function life(fleet, row, finding) {
  const { findings, words } = fleet;
  const state = findings.state.at(finding);
  const reason = findings.reason.at(finding);
  const open = Math.floor((fleet.asOf - findings.opened_at[finding]) / 1440);
  const ends = findings.waiver_until[finding];
  return [
    ["State", (words.states[state] ?? state) + (reason ? ` (${fleet.reason(reason)})` : "")],
    ["First seen", fleet.moment(findings.first_seen[finding])],
    ["Open for", ["new", "open", "reopened"].includes(state) ? counted(open, "day") : null],
    ["Waived until", ends ? fleet.moment(ends).slice(0, 10) : null],
    ["Observed", `${fleet.moment(fleet.minutes(findings.observed_at[finding], row))} by ${findings.sources.list(finding).join(", ")}`],
    ["Ticket id", findings.id.at(finding)],
  ];
}

function evidence(fleet, row, finding) {
  const names = fleet.findings.evidence.list(finding);
  const first = fleet.starts.evidence[finding];
  return names.map((name, place) => evidencePair(fleet, row, name, fleet.evidence.value.at(first + place)));
}

function evidencePair(fleet, row, name, stored) {
  const signal = fleet.signals.find(([each]) => each === name);
  const plain = (name[0] ?? "").toUpperCase() + name.slice(1).replaceAll("_", " ");
  const label = fleet.words.evidence[name] ?? (signal ? signal[1] : plain);
  if (stored === "=") return [label, fleet.fact(name, signal[2], row)];
  return [label, spoken(fleet, name, JSON.parse(stored))];
}

function spoken(fleet, name, value) {
  if (value === null) return "unknown";
  if (Array.isArray(value)) return value.map((each) => (fleet.checks[each] ? fleet.check(each) : each)).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return name.endsWith("_bytes") ? size(value) : String(value);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)$/.test(value) ? fleet.moment(Math.floor(Date.parse(value) / 60000)) : value;
}

function plan(fleet, row) {
  const steps = fleet.plan(row).map((step) => planStep(fleet, row, step));
  return steps.length ? element("ol", { class: "plan" }, steps) : null;
}

function planStep(fleet, row, { id, audience, why, fix }) {
  const who = fleet.words.audiences[audience] ?? audience;
  const minutes = fix?.minutes ? `, about ${counted(fix.minutes, "minute")}` : "";
  return element("li", {}, element("h4", {}, fix?.title ?? id), element("p", { class: "quiet" }, `${who}${minutes}`),
    element("p", {}, element("bdi", {}, why)), fix ? howTo(fleet, row, id, fix) : null);
}

function howTo(fleet, row, id, fix) {
  const lines = fleet.howto[fleet.devices.handling.at(row)]?.[id] ?? [];
  return element("details", {}, element("summary", {}, "How to do it"),
    fix.risk ? element("p", { class: "banner" }, `Data at risk: ${fix.risk}`) : null,
    fix.password ? element("p", {}, `Asks for ${fix.password}.`) : null,
    element("ol", {}, lines.map((line) => element("li", {}, line))),
    pairs([["Why it helps", fix.why], ["How to see that it worked", fix.verify], ["What the MDM can do", fix.mdm]]));
}

/** Each signal with a value: the value, its source, its age. */
function facts(fleet, row) {
  const shape = fleet.devices.shape.at(row);
  const known = fleet.signals.flatMap(([name, label, kind], place) =>
    shape[place] in GAPS || shape[place] === "o" ? [] : [factRow(fleet, row, label, fleet.fact(name, kind, row), shape[place])]);
  const head = ["Fact", "Value", "Source", "Reported"].map((word) => element("th", { scope: "col" }, word));
  return element("table", { class: "facts" }, element("thead", {}, element("tr", {}, head)), element("tbody", {}, known));
}

function factRow(fleet, row, label, value, winner) {
  const sighting = fleet.starts.sightings[row] + winner.charCodeAt(0) - FIRST_SIGHTING;
  const at = fleet.minutes(fleet.sightings.observed[sighting], row);
  return element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, element("bdi", {}, value ?? "")),
    element("td", {}, fleet.sightings.source.at(sighting)), element("td", {}, fleet.age(at)));
}

function unknown(fleet, row) {
  const shape = fleet.devices.shape.at(row);
  const gaps = fleet.signals.flatMap(([, label], place) => (shape[place] in GAPS ? [[GAPS[shape[place]], label]] : []));
  const reasons = Object.values(GAPS).filter((reason) => gaps.some(([each]) => each === reason));
  const items = reasons.map((reason) => [gaps.filter(([each]) => each === reason).map(([, label]) => label).join(", "), fleet.reason(reason)]);
  if (shape.includes("o")) items.push(["UDID", "left out of this page, because the serial number names the device; findings.json has it"]);
  return items.length ? element("ul", {}, items.map(([labels, why]) => element("li", {}, `${labels}: ${why}.`))) : null;
}

function sightings(fleet, row) {
  const { words } = fleet;
  return element("ul", {}, [...fleet.rowsOf("sightings", row)].map((each) => {
    const read = (name) => fleet.sightings[name].at(each);
    const stands = words.standings[read("standing")] ?? read("standing");
    const observed = fleet.moment(fleet.minutes(fleet.sightings.observed[each], row));
    return element("li", {}, `${read("source")}: ${stands}. The device reported on ${observed}; last listed on ${fleet.moment(fleet.sightings.seen[each])}.`);
  }));
}
