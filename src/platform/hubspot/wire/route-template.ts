import { paths } from "./paths.js";

/** What stands for an id in a template. */
const ID = ":id";

interface Template {
  readonly template: string;
  readonly parts: readonly string[];
}

const TEMPLATES: readonly Template[] = Object.values(paths).map((path) => {
  const template = typeof path === "string" ? path : decodeURIComponent(path(ID));
  return { template, parts: template.split("/") };
});

const EXACT: ReadonlySet<string> = new Set(Object.values(paths).filter((path) => typeof path === "string"));

/** Paths outside {@link paths}, such as those of old workflows, share one name. */
const OTHER = "other";

/** The path of a request to HubSpot without its ids, `/crm/owners/2026-09/:id`: few values, which metrics may have as a label. */
export function routeTemplate(path: string): string {
  if (EXACT.has(path)) return path;
  const parts = path.split("/");
  const found = TEMPLATES.find(
    (one) =>
      one.parts.length === parts.length &&
      one.parts.every((part, index) => part === ID || part === parts[index]),
  );
  return found?.template ?? OTHER;
}
