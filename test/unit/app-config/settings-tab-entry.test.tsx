/** @jsxImportSource react */
import { afterAll, expect, test } from "@jest/globals";
import type { ReactNode } from "react";

interface Given {
  context: { user: { locale: string }; variables?: Record<string, string> };
  actions: { addAlert: (alert: object) => void };
}

/** Stands for HubSpot's worker: takes the extension, and lends it a fetch. */
function startWorker(): { asked: string[]; extension: () => (given: Given) => ReactNode } {
  const asked: string[] = [];
  let taken: ((given: Given) => ReactNode) | undefined;
  const worker = {
    __HUBSPOT_EXTENSION_WORKER__: true,
    extend_V2: (extension: (given: Given) => ReactNode) => {
      taken = extension;
    },
    hsFetch: (url: string) => {
      asked.push(url);
      return Promise.resolve(Response.json({ code: "NOT_AN_ADMIN", message: "No." }, { status: 403 }));
    },
  };
  Object.assign(globalThis, { self: worker });
  return {
    asked,
    extension: () => {
      if (taken === undefined) throw new Error("nothing was handed to HubSpot");
      return taken;
    },
  };
}

// Other test files share this process, and are not in a HubSpot worker.
afterAll(() => {
  Reflect.deleteProperty(globalThis, "self");
});

test("the tab hands itself to HubSpot, and asks the address of the profile it was uploaded with", async () => {
  const { asked, extension } = startWorker();
  // Imported once the worker stands: the library looks for it when it is loaded.
  await import("../../../app-config/src/app/settings/SettingsPage.tsx");
  const { createRenderer } = await import("@hubspot/ui-extensions/testing");
  const { ErrorState } = await import("@hubspot/ui-extensions");
  const tab = createRenderer("settings");
  const context = { user: { locale: "en" }, variables: { PUBLIC_URL: "https://enroller.example.com" } };
  tab.render(extension()({ context, actions: { addAlert: () => undefined } }));
  await tab.waitFor(() => {
    expect(tab.find(ErrorState).props.title).toBe("For admins only");
  });
  expect(asked).toEqual(["https://enroller.example.com/hubspot/settings/overview"]);
});
