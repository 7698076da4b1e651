// Starts what the tests need: the emulator, and the example app that shares its cookie.

import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** The emulator, built before (its path in $EMULATOR), or else built by cargo now. Answers with its JSON line, and `stop`. */
export async function startEmulator() {
  const program = start("EMULATOR", ["run", "--quiet", "-p", "workos-emulator", "--"], ["--port", "0", "--json"]);
  const line = new Promise((resolve) => {
    createInterface({ input: program.stdout }).once("line", resolve);
  });
  return { ...JSON.parse(await Promise.race([line, program.failed])), stop: program.stop };
}

/** The example app, built before (its path in $BESIDE_NEXTJS), or else built by cargo now. Answers with `url` and `stop`. */
export async function startApp(environment) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const program = start("BESIDE_NEXTJS", ["run", "--quiet", "--example", "beside_nextjs", "--"], [`${port}`], {
    WORKOS_REDIRECT_URI: `${url}/auth/callback`,
    ...environment,
  });
  await Promise.race([listening(port), program.failed]);
  return { url, stop: program.stop };
}

function start(built, cargo, args, environment) {
  const [command, before] = process.env[built] ? [process.env[built], []] : ["cargo", cargo];
  const program = spawn(command, [...before, ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors = [];
  createInterface({ input: program.stderr }).on("line", (line) => errors.push(line));
  const ended = new Promise((resolve) => {
    program.once("error", (error) => resolve(error.message));
    program.once("close", (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
  const failed = ended.then((why) => {
    throw new Error(`${command} did not start: ${why}\n${errors.join("\n")}`);
  });
  // Nobody waits for it any more once the program has started.
  failed.catch(() => {});
  const stop = async () => {
    program.kill("SIGTERM");
    await ended;
  };
  return { stdout: program.stdout, failed, stop };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when somebody accepts connections at the port. */
function listening(port) {
  return new Promise((resolve) => {
    const attempt = () => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => {
        socket.destroy();
        resolve();
      });
      socket.once("error", () => setTimeout(attempt, 50));
    };
    attempt();
  });
}
