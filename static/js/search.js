// Words that are looked for: where they stand, and how they are shown there.

const HIGHLIGHT = "found";

export const plain = (text) => text.normalize("NFC").toLocaleLowerCase();
export const holds = (text, wanted) => plain(text).includes(plain(wanted.trim()));

// The places of the words in a text node, where their letters can be told apart in it.
export function rangesIn(node, wanted) {
  const sought = plain(wanted.trim());
  const text = node.data.replaceAll("\n", " ").toLocaleLowerCase();
  if (!sought || text.length !== node.data.length) return [];
  const ranges = [];
  for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + sought.length)) {
    const range = new Range();
    range.setStart(node, at);
    range.setEnd(node, at + sought.length);
    ranges.push(range);
  }
  return ranges;
}

// Show these places and no others; browsers that cannot still frame the line.
export function highlight(ranges) {
  if (!globalThis.Highlight) return;
  if (ranges.length) CSS.highlights.set(HIGHLIGHT, new Highlight(...ranges));
  else CSS.highlights.delete(HIGHLIGHT);
}
