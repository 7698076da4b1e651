// Starts what a browser test needs: a browser, and the program whose pages it opens.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // The tests talk to this machine alone: every other name is unknown, whatever a page asks for.
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
];

/** The browser named by $CHROMIUM, or the first known one on the path. */
export function findBrowser() {
  if (process.env.CHROMIUM) {
    return process.env.CHROMIUM;
  }
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
  if (!found) {
    throw new Error(`No browser found: install one of ${BROWSERS.join(", ")}, or name one in CHROMIUM.`);
  }
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function launchBrowser() {
  return chromium.launch({ executablePath: findBrowser(), args: FLAGS });
}

/** The example app with the emulator inside, built before (its path in $SAAS), or else built by cargo now. */
export function startSaas() {
  const [command, ...args] = process.env.SAAS
    ? [process.env.SAAS]
    : ["cargo", "run", "--quiet", "--example", "saas", "--"];
  return startProgram(command, [...args, "--json"], { SAAS_PORT: "0" });
}

/**
 * Runs a program of the repository and waits until it prints where it is to be found: a line that is a JSON object, or a
 * line with an http:// address. Answers with that (`ready`) and with the way to end the program (`stop`).
 */
export async function startProgram(command, args, environment) {
  const program = spawn(command, args, {
    cwd: REPOSITORY,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = [];
  const ended = new Promise((resolve) => {
    program.once("error", (error) => resolve(error.message));
    program.once("close", (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
  createInterface({ input: program.stderr }).on("line", (line) => output.push(line));
  const ready = new Promise((resolve) => {
    createInterface({ input: program.stdout }).on("line", (line) => {
      output.push(line);
      const place = placeIn(line);
      if (place) {
        resolve(place);
      }
    });
  });

  const failed = ended.then((why) => {
    throw new Error(`${command} did not start: ${why}\n${output.join("\n")}`);
  });
  return {
    ready: await Promise.race([ready, failed]),
    stop: async () => {
      program.kill("SIGTERM");
      await ended;
    },
  };
}

function placeIn(line) {
  if (line.startsWith("{")) {
    return JSON.parse(line);
  }
  const address = line.match(/http:\/\/\S+/)?.[0];
  return address && { app: address };
}
