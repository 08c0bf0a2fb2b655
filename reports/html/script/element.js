// Making elements. Outside text enters as text alone, never as markup.

/** An element with attributes and children; strings become text. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Somebody's words: a name that runs from right to left turns nothing around it. */
function bdi(text) {
  return element("bdi", {}, text);
}

/** Icon and word; the colour only repeats what they say. */
function mark(code, [icon, word]) {
  return element("span", { class: `mark ${code}` }, element("span", { class: "icon", "aria-hidden": "true" }, icon), word);
}

function button(label, attributes, act) {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

/** Names and values; those without a value are left out. */
function pairs(entries) {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, shown.map(([label, value]) => element("div", {}, element("dt", {}, label), element("dd", {}, bdi(String(value))))));
}
