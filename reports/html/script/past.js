// What one device was like on earlier nights, and the findings that ended.

const LINE = { width: 300, height: 40 };

/** The last weeks as a line of free storage with a dot for every backup seen, and as a table; or where to find them. */
function weeks(fleet, row) {
  const nights = nightsOf(fleet, row);
  if (nights.length < 2) return elsewhere(fleet, row);
  const backups = [...new Set(nights.map(({ backup }) => backup).filter((each) => each !== null))].filter((at) => at >= nights[0].at);
  const told = `${freeThen(nights[0].free, nights.at(-1).free)}; ${counted(backups.length, "backup")} seen since ${day(nights[0].at)}`;
  return element("div", { class: "weeks" }, spark(fleet, row, nights, backups, told), element("p", { class: "quiet" }, `${told}. Each dot is a backup.`), nightTable(fleet, nights));
}

function freeThen(first, last) {
  return first === null && last === null ? "Free storage is not known" : `Free storage from ${gigabytes(first)} to ${gigabytes(last)}`;
}

function elsewhere(fleet, row) {
  const name = fleet.text("serial", row) || fleet.text("udid", row) || fleet.devices.key.at(row);
  const why = fleet.devices.status.at(row) === "at_risk" ? "No earlier night is known of this device here." : "This page keeps them for devices at risk.";
  return element("p", { class: "quiet" }, `${why} What each night knew: `, element("code", {}, bdi(`fleetkeep device ${name} --history`)));
}

/** A device's nights, the oldest first; they are stored from tonight backwards, each by what differs. */
function nightsOf(fleet, row) {
  const { at, free, backup } = fleet.nights;
  const { fact_available_bytes: room, fact_last_cloud_backup_at: last } = fleet.devices;
  let many = room[row] ? Math.floor(((room[row] - 1) * fleet.sizeStep) / 1e9) + 1 : 0;
  let code = last[row] === 1 ? 0 : last[row];
  const back = fleet.rowsOf("nights", row).map((each) => {
    many += unfolded(free[each]);
    code += unfolded(backup[each]);
    return { at: fleet.asOf - at[each], free: many ? many - 1 : null, backup: fleet.minutes(code, row) };
  });
  return back.reverse();
}

function gigabytes(many) {
  return many === null ? "unknown" : `${many} GB`;
}

function spark(fleet, row, nights, backups, told) {
  const capacity = ((fleet.devices.fact_capacity_bytes[row] - 1) * fleet.sizeStep) / 1e9;
  const most = capacity > 0 ? capacity : Math.max(1, ...nights.map(({ free }) => free ?? 0));
  const [from, to] = [nights[0].at, Math.max(nights.at(-1).at, nights[0].at + 1)];
  const across = (at) => ((LINE.width * (at - from)) / (to - from)).toFixed(1);
  const points = nights.filter(({ free }) => free !== null).map(({ at, free }) => `${across(at)},${(LINE.height * (1 - free / most)).toFixed(1)}`);
  const drawing = drawn("svg", { viewBox: `0 -4 ${LINE.width} ${LINE.height + 16}`, preserveAspectRatio: "none", role: "img", "aria-label": told });
  drawing.append(drawn("path", { class: "rule", d: `M0 0H${LINE.width}M0 ${LINE.height}H${LINE.width}` }), drawn("polyline", { points: points.join(" ") }));
  for (const at of backups) drawing.append(drawn("path", { class: "dot", d: `M${across(Math.min(at, to))} ${LINE.height + 7}h0.01` }));
  return drawing;
}

function drawn(tag, attributes) {
  const made = document.createElementNS(document.querySelector("svg").namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function nightTable(fleet, nights) {
  const head = ["Night", "Free", "Last backup then"].map((word) => element("th", { scope: "col" }, word));
  const rows = [...nights].reverse().map(({ at, free, backup }) => element("tr", {}, element("th", { scope: "row" }, day(at)),
    element("td", {}, gigabytes(free)), element("td", {}, backup === null ? "none known" : day(backup))));
  return element("details", {}, element("summary", {}, "As a table"),
    element("table", { class: "small" }, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows)));
}

function day(minutes) {
  return new Date(minutes * 60000).toISOString().slice(0, 10);
}

/** Findings that ended before tonight. */
function past(fleet, row) {
  const items = fleet.rowsOf("past", row).map((each) => {
    const { check, severity, reason, first_seen: first, last_seen: last } = fleet.past;
    const why = reason.at(each) ? `, ended because ${fleet.reason(reason.at(each))}` : "";
    return element("li", {}, `${fleet.check(check.at(each))} (${fleet.words.severities[severity.at(each)][1].toLowerCase()}): ${day(first[each])} to ${day(last[each])}${why}`);
  });
  return items.length ? element("ul", {}, items) : null;
}
