// Looks at a page as its readers do: on a phone and on a desk, in the light and in the dark, with eyes and without.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ARTEFACTS = fileURLToPath(new URL("../artefacts", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const SCHEMES = ["light", "dark"];

/** Keeps a picture of the page as tests/artefacts/<name>.png. */
export async function screenshot(page, name) {
  mkdirSync(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTEFACTS, `${name}.png`), fullPage: true });
}

/** Fails with a list of everything that axe-core finds, best practices included. */
export async function assertAccessible(page) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => (await globalThis.axe.run(document)).violations);
  const report = violations.flatMap(({ id, help, helpUrl, nodes }) => [
    `${id}: ${help} (${helpUrl})`,
    ...nodes.map((node) => `    ${node.html}\n      ${node.failureSummary.replaceAll("\n", "\n      ")}`),
  ]);
  assert.equal(violations.length, 0, `${await page.title()} at ${page.url()} is not accessible:\n${report.join("\n")}`);
}

/** On every screen and in both schemes: a picture, nothing for axe-core to find, and nothing to scroll to the side. */
export async function inspect(page, name) {
  const before = page.viewportSize();
  for (const [screen, size] of Object.entries(SCREENS)) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await screenshot(page, `${name}-${screen}-${colorScheme}`);
      await assertAccessible(page);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= size.width, `${page.url()} is ${width} px wide on a ${screen} of ${size.width} px`);
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
