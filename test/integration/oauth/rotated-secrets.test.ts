import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import { createBrowser } from "../../../src/bin/oauth-browser.js";
import type { App } from "../../../src/app.js";
import { startRunningApp } from "../../support/start-app.js";

const [older, newer] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")];

test("while the session secret is rotated nobody is signed out, and an install goes on in a process of the next step", async () => {
  const running = await startRunningApp({ environment: { ROLE: "web", SESSION_SECRET: older } });
  try {
    const portal = running.simulator.addPortal();
    const admin = await running.install(portal);
    const start = (SESSION_SECRET: string) => running.startAnother({ SESSION_SECRET });
    const [both, swapped, done] = [
      await start(`${older},${newer}`),
      await start(`${newer},${older}`),
      await start(newer),
    ];
    const statusAt = async (app: App) =>
      (await admin.open(`http://localhost:${app.address.port}/settings`)).status;
    // Every page starts the idle time again: its cookie is signed with the process's first secret.
    for (const [step, app] of [both, swapped, both, swapped, done].entries())
      expect({ step, status: await statusAt(app) }).toEqual({ step, status: 200 });

    const visitor = createBrowser();
    const begun = await visitor.open(`http://localhost:${both.address.port}/oauth/install`);
    const consent = { portalId: portal.portalId, userId: portal.admin.userId };
    const back = new URL(running.simulator.authorize(begun.location ?? "", consent));
    back.port = String(swapped.address.port);
    expect((await visitor.open(back.href)).location).toMatch(/\/settings/);

    const stranger = await start(randomBytes(32).toString("base64"));
    expect(await statusAt(stranger)).toBe(401);
  } finally {
    await running.close();
  }
});
