// Somebody with cookies, and no browser around them.

import { request } from "node:http";

export class Visitor {
  cookies = new Map();
  /** The Set-Cookie lines of the last answer. */
  set = [];

  constructor(session) {
    if (session) {
      this.session = session;
    }
  }

  get session() {
    return this.cookies.get("wos-session");
  }

  set session(value) {
    this.cookies.set("wos-session", value);
  }

  /** The attributes of the session cookie that the last answer has set, in no order. */
  get attributes() {
    const line = this.set.find((line) => line.startsWith("wos-session="));
    return line?.split("; ").slice(1).sort();
  }

  /** Asks, keeps the cookies of the answer, and goes nowhere else. */
  async ask(url, method = "GET", headers = {}, body = undefined) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await send(url, { method, headers: { accept: "*/*", ...(cookie && { cookie }), ...headers } }, body);
    this.set = answer.headers["set-cookie"] ?? [];
    for (const line of this.set) {
      const [name, value] = line.split("; ")[0].split(/=(.*)/s);
      if (/; max-age=0(;|$)/i.test(line)) {
        this.cookies.delete(name);
      } else {
        this.cookies.set(name, value);
      }
    }
    return answer;
  }

  /** Signs in at the app, as somebody whom the emulator knows by the e-mail address. */
  async signIn(app, email) {
    const toWorkOs = await this.ask(`${app}/auth/sign-in?login_hint=${encodeURIComponent(email)}`);
    const back = await new Visitor().ask(toWorkOs.headers.location);
    const answer = await this.ask(back.headers.location);
    if (!this.session) {
      throw new Error(`not signed in: ${answer.status} ${answer.text}`);
    }
  }

  /** What the app says of whoever has these cookies. */
  async me(app) {
    const answer = await this.ask(`${app}/me`);
    if (answer.status !== 200) {
      throw new Error(`nobody is signed in: ${answer.status} ${answer.text}`);
    }
    return JSON.parse(answer.text);
  }

  /** Sends JSON as a script of the app's own pages. */
  post(app, path, body) {
    const headers = { origin: app, "content-type": "application/json" };
    return this.ask(`${app}${path}`, "POST", headers, JSON.stringify(body));
  }
}

function send(url, options, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("error", reject);
      answer.on("end", () => {
        resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
