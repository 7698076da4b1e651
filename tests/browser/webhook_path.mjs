// The way of webhooks from WorkOS to the app, with the faults that a network has.

import { createServer } from "node:http";
import { once } from "node:events";

export class WebhookPath {
  /** "up"; "down": nobody answers; "forgetful": the app answers, and WorkOS does not hear it. */
  is = "up";
  /** The events that came through to the app. */
  passed = [];
  #app;
  #server;

  /** Puts itself between the emulator and the app's endpoint. */
  static async open({ app, emulator, api_key }) {
    const path = new WebhookPath();
    path.#app = `${app}/webhooks/workos`;
    path.#server = createServer((request, response) => path.#carry(request, response));
    path.#server.listen(0, "127.0.0.1");
    await once(path.#server, "listening");
    const headers = { authorization: `Bearer ${api_key}`, "content-type": "application/json" };
    const endpoints = await (await fetch(`${emulator}/webhook_endpoints`, { headers })).json();
    const endpoint = endpoints.data.find(({ endpoint_url }) => endpoint_url === path.#app);
    const endpoint_url = `http://127.0.0.1:${path.#server.address().port}/`;
    const answer = await fetch(`${emulator}/webhook_endpoints/${endpoint.id}`, {
      method: "PATCH",
      headers,
      body: JSON.stringify({ endpoint_url }),
    });
    if (!answer.ok) {
      throw new Error(`the endpoint cannot be moved: ${answer.status} ${await answer.text()}`);
    }
    return path;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #carry(request, response) {
    const body = Buffer.concat(await request.toArray());
    if (this.is === "down") {
      request.socket.destroy();
      return;
    }
    const headers = {
      "content-type": "application/json",
      "workos-signature": request.headers["workos-signature"],
    };
    const answer = await fetch(this.#app, { method: "POST", headers, body });
    this.passed.push({ id: JSON.parse(body).id, status: answer.status });
    response.writeHead(this.is === "forgetful" ? 504 : answer.status).end();
  }
}
