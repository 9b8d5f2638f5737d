// A text as large as the box around it: the largest size at which nothing overflows.

export function fit(text) {
  const box = text.parentElement;
  let [low, high] = [16, Math.max(32, box.clientHeight)];
  while (high - low > 1) {
    const size = (low + high) / 2;
    text.style.fontSize = `${size}px`;
    if (text.scrollHeight <= box.clientHeight && text.scrollWidth <= box.clientWidth) low = size;
    else high = size;
  }
  text.style.fontSize = `${Math.floor(low)}px`;
}
