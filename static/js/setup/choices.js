// One of a list to choose. Items that are there stay while they change, so that the focus does.

import { setText } from "../words.js";

function radio(name, choose) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name });
  input.addEventListener("change", () => choose(input.value));
  label.append(input, document.createElement("span"));
  return label;
}

// `items`: value and words of each. `choose`: called with the value that somebody chooses.
export function showChoices(list, name, items, { chosen, fixed, choose }) {
  while (list.children.length > items.length) list.lastElementChild.remove();
  while (list.children.length < items.length) list.append(radio(name, choose));
  items.forEach(([value, text], i) => {
    const [input, span] = list.children[i].children;
    input.value = value;
    input.checked = value === chosen;
    input.disabled = fixed;
    setText(span, text);
  });
}
