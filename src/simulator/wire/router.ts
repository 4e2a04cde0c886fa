/** A route's path, in which `{name}` matches one segment. */
interface Routed {
  readonly method: string;
  readonly path: string;
}

export interface Match<Route> {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Pattern<Route> {
  readonly route: Route;
  readonly segments: readonly string[];
}

const NO_PARAMS: Readonly<Record<string, string>> = {};

/** Finds a route by method and path: fixed paths in one lookup, templates among those of the same length. */
export class Router<Route extends Routed> {
  readonly #fixed = new Map<string, Match<Route>>();
  readonly #patterns = new Map<string, Pattern<Route>[]>();
  readonly #paths = new Set<string>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const segments = route.path.split("/");
      this.#paths.add(route.path);
      if (route.path.includes("{")) {
        const key = `${route.method} ${segments.length}`;
        this.#patterns.set(key, [...(this.#patterns.get(key) ?? []), { route, segments }]);
      } else {
        this.#fixed.set(`${route.method} ${route.path}`, { route, params: NO_PARAMS });
      }
    }
  }

  find(method: string, path: string): Match<Route> | undefined {
    const fixed = this.#fixed.get(`${method} ${path}`);
    if (fixed !== undefined) return fixed;
    const segments = path.split("/");
    for (const { route, segments: pattern } of this.#patterns.get(`${method} ${segments.length}`) ?? []) {
      const params = match(pattern, segments);
      if (params !== undefined) return { route, params };
    }
    return undefined;
  }
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index] ?? "";
    if (expected.startsWith("{")) {
      if (actual === "") return undefined;
      params[expected.slice(1, -1)] = decode(actual);
    } else if (expected !== actual) {
      return undefined;
    }
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
