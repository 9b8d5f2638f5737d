// Why the program answers, but a page cannot connect to it: something stands between.

const PATIENCE_MS = 5000;
const TRIES = 3; // a program that is just starting answers a moment before it connects
let tries = 0;

export function reached() { tries = 0; }

async function ask() {
  const answer = await fetch("reach", { method: "POST", signal: AbortSignal.timeout(PATIENCE_MS) });
  return answer.ok ? answer.json() : null;
}

// The program's sentence, or null where there is none to tell.
export async function reason() {
  const answer = await ask().catch(() => null); // null: it does not answer either
  tries = answer ? tries + 1 : 0;
  return ["unreachable.origin", "unreachable.sharing"].includes(answer?.code) || tries >= TRIES ? answer : null;
}
