// The connection to the program: events in, requests out.

import * as facing from "./device/facing.js";
import * as reach from "./reach.js";
import { sentence, t } from "./words.js";

const PATIENCE_MS = 5000;
// A try that the network swallows is given up, and another one begun. That the network is dead is
// known by the server's pings: PING_S and PONG_S in web/events.py.
const CONNECT_MS = 5000;

export class Wire {
  constructor(handlers) {
    const path = new URL("socket.io/", document.baseURI).pathname;
    const query = facing.on ? { facing: 1 } : {};
    this.socket = globalThis.io({ path, query, transports: ["websocket"], reconnectionDelayMax: 2000, timeout: CONNECT_MS });
    for (const name of ["status", "caption", "level", "room", "cleared", "answer"]) this.socket.on(name, handlers[name]);
    this.socket.on("refused", (refusal) => handlers.refused(sentence(refusal)));
    this.socket.on("connect", reach.reached);
    this.socket.on("connect_error", async () => {
      const reason = await reach.reason();
      if (!this.socket.connected) handlers.offline(reason);
    });
    this.socket.on("disconnect", (reason) => {
      handlers.offline();
      // The client retries by itself unless the server closed the connection on purpose.
      if (reason === "io server disconnect") this.socket.connect();
    });
    this.refused = handlers.refused;
  }

  // Ask for something; tell whether it was granted. A refusal is shown.
  async ask(name, payload = {}) {
    try {
      const answer = await this.socket.timeout(PATIENCE_MS).emitWithAck(name, payload);
      if (answer?.ok === false) this.refused(sentence(answer));
      return answer?.ok !== false;
    } catch {
      if (this.socket.connected) this.refused(t("status.timeout"));
      return false;
    }
  }
}

