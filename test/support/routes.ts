import type { Express } from "express";

interface Layer {
  /** Present where the layer answers a path itself. */
  readonly route?: { readonly path: unknown; readonly methods: Readonly<Record<string, boolean>> };
  /** A router below has a stack of its own. */
  readonly handle: { readonly stack?: readonly Layer[] };
  /** True if the layer is mounted at the root. */
  readonly slash?: boolean;
}

/**
 * Every method and path an app answers, as "GET /settings/activity/:id", read from its own stack of layers.
 *
 * @throws Error for a router below a path of its own: Express does not keep that path, so its routes could not be named.
 */
export function routesOf(http: Express): string[] {
  const { stack } = http.router as unknown as { stack: readonly Layer[] };
  return stack.flatMap(routesOfLayer);
}

function routesOfLayer({ route, handle, slash }: Layer): string[] {
  if (route !== undefined)
    return [route.path].flat().flatMap((path) => namesOf(String(path), Object.keys(route.methods)));
  if (handle.stack === undefined) return [];
  if (slash !== true)
    throw new Error("A router is mounted below a path: mount it at the root, with whole paths");
  return handle.stack.flatMap(routesOfLayer);
}

const namesOf = (path: string, methods: readonly string[]): string[] =>
  methods.map((method) => `${method.toUpperCase()} ${path}`);
