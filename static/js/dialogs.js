// Native dialogs: opened by a button or a key, closed by their own button, Escape, or a press beside them.

const dialogs = () => document.querySelectorAll("dialog");

export function prepare() {
  for (const dialog of dialogs()) {
    dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // the backdrop
    });
  }
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => toggle(button.dataset.opens));
  }
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
