// Words that are looked for: where they stand, and how they are shown there.

const HIGHLIGHT = "found";

export const plain = (text) => text.normalize("NFC").toLocaleLowerCase();
export const holds = (text, wanted) => plain(text).includes(plain(wanted.trim()));

// Where the words begin and end in a text, where their letters can be told apart in it.
function placesIn(shown, wanted) {
  const sought = plain(wanted.trim());
  const text = shown.replaceAll("\n", " ").toLocaleLowerCase();
  if (!sought || text.length !== shown.length) return [];
  const places = [];
  for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + sought.length)) {
    places.push([at, at + sought.length]);
  }
  return places;
}

export function rangesIn(node, wanted) {
  return placesIn(node.data, wanted).map(([from, to]) => {
    const range = new Range();
    range.setStart(node, from);
    range.setEnd(node, to);
    return range;
  });
}

// A text in parts, the words among them marked.
export function marked(text, wanted) {
  const parts = [];
  let end = 0;
  for (const [from, to] of placesIn(text, wanted)) {
    const mark = document.createElement("mark");
    mark.append(text.slice(from, to));
    parts.push(text.slice(end, from), mark);
    end = to;
  }
  return [...parts, text.slice(end)];
}

// Show these places and no others; browsers that cannot still frame the line.
export function highlight(ranges) {
  if (!globalThis.Highlight) return;
  if (ranges.length) CSS.highlights.set(HIGHLIGHT, new Highlight(...ranges));
  else CSS.highlights.delete(HIGHLIGHT);
}
