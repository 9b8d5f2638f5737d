// Native dialogs: opened by a button or a key, closed by their own button, Escape, or a press beside them.

const dialogs = () => document.querySelectorAll("dialog");

export function prepare() {
  measure();
  for (const dialog of dialogs()) {
    dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) closeBeside(dialog, event);
    });
  }
  for (const button of document.querySelectorAll("[data-jumps]")) {
    button.addEventListener("click", () => {
      const part = document.getElementById(button.dataset.jumps);
      part.querySelector("h3").focus({ preventScroll: true });
      part.scrollIntoView({ block: "start" });
    });
  }
  for (const content of document.querySelectorAll(".sheet .content")) watchEnd(content);
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => toggle(button.dataset.opens));
  }
}

// What a sheet leaves free can be pressed all the same: the bar, and what stands above it.
function closeBeside(dialog, { clientX: x, clientY: y }) {
  const within = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return x > left && x < right && y > top && y < bottom;
  };
  if (within(dialog)) return; // its own edge
  // Before it closes: some of them move then.
  const pressed = [...document.querySelectorAll(".foot button")].find((button) => button.checkVisibility() && within(button));
  dialog.close();
  if (pressed?.dataset.opens !== dialog.id) pressed?.click();
}

// A sheet that is longer than it is high shows that there is more below.
function watchEnd(content) {
  const sheet = content.parentElement;
  const look = () => sheet.toggleAttribute("data-more", content.scrollHeight - content.clientHeight - content.scrollTop > 4);
  content.addEventListener("scroll", look, { passive: true });
  const sizes = new ResizeObserver(look);
  for (const element of [content, ...content.children]) sizes.observe(element);
}

// How much room the foot of the page takes, and a sheet above it.
function measure() {
  const foot = document.querySelector(".foot");
  const { style } = document.documentElement;
  const sizes = new ResizeObserver(() => {
    style.setProperty("--foot", `${foot.offsetHeight}px`);
    const sheet = document.querySelector(".sheet[open]");
    style.setProperty("--sheet", `${sheet?.offsetHeight ?? 0}px`);
  });
  for (const element of [foot, ...document.querySelectorAll(".sheet")]) sizes.observe(element);
}

// Open it, instead of another one that is open; close it if it is open.
export function toggle(id) {
  const wanted = document.getElementById(id);
  const wasOpen = wanted.open;
  for (const dialog of dialogs()) if (dialog.open) dialog.close();
  if (wasOpen) return;
  wanted.showModal();
  wanted.querySelector("form textarea")?.focus();
}

export const topmost = () => [...dialogs()].filter((dialog) => dialog.open).at(-1);
export const anyOpen = () => [...dialogs()].some((dialog) => dialog.open);
