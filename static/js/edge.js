// A row that the upper edge of the view would cut in half is left out, and so is a feeling, or a name.

const SLACK_PX = 3; // letters do not reach to the edge of their row

// The place of the line that the edge cuts: lines stand below each other.
function placeAt(lines, top) {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle].offsetTop + lines[middle].offsetHeight <= top) low = middle + 1;
    else high = middle;
  }
  return low;
}

// How far below the edge a feeling, which may stand above its words, ends, where the edge cuts it; else 0.
function restOfFeeling(feeling, edge) {
  if (!feeling?.offsetParent || edge <= feeling.offsetTop + SLACK_PX) return 0;
  return Math.max(0, feeling.offsetTop + feeling.offsetHeight - edge);
}

// How much of the view's height the rest of a row takes that begins above it, in pixels.
function restOf(line, top) {
  const { paddingBlockStart } = getComputedStyle(line);
  const into = top - line.offsetTop - parseFloat(paddingBlockStart);
  if (into <= 0) return restOfFeeling(line.querySelector(".said"), top - line.offsetTop);
  const name = line.querySelector(".speaker")?.offsetHeight ?? 0; // above the rows
  if (into < name) return name - into;
  const other = line.querySelector(".translation"); // below them, with rows of its own
  const below = other ? top - line.offsetTop - other.offsetTop : 0;
  const rest = below > 0 ? restOfRow(below, other) : restOfRow(into - name, line);
  return Math.min(rest, line.offsetTop + line.offsetHeight - top);
}

function restOfRow(into, element) {
  const row = parseFloat(getComputedStyle(element).lineHeight);
  const rest = row - (into % row);
  return rest >= row - SLACK_PX ? 0 : rest;
}

// The lines whose feelings begin above this edge, and may be seen below it: beside its words a feeling
// is higher than their row, and reaches into the next one, which is not left out for that.
const cutBy = (edge, lines) => lines.filter((line) => restOfFeeling(line?.querySelector(".said"), edge - line?.offsetTop));

function mark(view, cut) {
  for (const line of view.querySelectorAll("[data-cut]")) if (!cut.includes(line)) line.removeAttribute("data-cut");
  for (const line of cut) if (!line.hasAttribute("data-cut")) line.setAttribute("data-cut", "");
}

// `whole`: leave out what is cut; else somebody scrolls, and sees where the rest is.
export function tidy(view, lines, whole) {
  const top = view.scrollTop;
  const place = whole && top > 0 ? placeAt(lines, top) : 0;
  const line = whole && top > 0 && (lines[place] ?? view.querySelector("#live"));
  const rest = line ? Math.round(restOf(line, top)) : 0;
  mark(view, line ? cutBy(top + rest, [lines[place - 1], line]) : []);
  const cut = rest ? `${rest}px` : "";
  if (view.style.getPropertyValue("--cut") === cut) return;
  if (cut) view.style.setProperty("--cut", cut);
  else view.style.removeProperty("--cut");
}
