// The page of one device: what is wrong, what to do, and below it everything that this rests on.

/** What the dialog holds for one device. */
function detail(fleet, row) {
  return [
    element("p", { class: "quiet" }, bdi(["serial", "model_name", "os_version", "user_name", "site"].map((name) => fleet.text(name, row)).filter(Boolean).join(" · "))),
    element("p", { class: "verdict" }, mark(fleet.devices.status.at(row), fleet.words.statuses[fleet.devices.status.at(row)]), " ", verdict(fleet, row)),
    element("div", { class: "takes" }, copiers(fleet, row)),
    ...section("What to do, and who does it", plan(fleet, row)),
    ...section("Findings", findings(fleet, row)),
    ...section("Why there is no backup", causes(fleet, row)),
    ...section("Ruled out", ruledOut(fleet, row)),
    ...section("Sources disagree", disputes(fleet, row)),
    ...section("The last weeks", weeks(fleet, row)),
    ...section("Findings that ended", past(fleet, row)),
    ...section("Known facts", facts(fleet, row)),
    ...section("Unknown facts", unknown(fleet, row)),
    ...section("Where this is from", sightings(fleet, row)),
  ];
}

function section(title, content) {
  return content ? [element("h3", {}, title), content] : [];
}

function copiers(fleet, row) {
  const made = [];
  if (userText(fleet, row)) made.push(copier("Copy text for the user", () => userText(fleet, row), { class: "plain" }));
  if (fleet.plan(row).length) made.push(copier("Copy ticket text", () => ticketText(fleet, row), { class: "plain" }));
  const serial = fleet.text("serial", row);
  if (serial) made.push(copier("Copy serial number", () => serial, { class: "plain" }));
  return [...made, copier("Copy link", () => linkTo(fleet, row), { class: "plain" })];
}
