import { parseCookie, stringifySetCookie } from "cookie";
import type { Request, Response } from "express";

/** Cookies of one site, all `HttpOnly` and `SameSite=Lax`, so that they come along on the way back from HubSpot. */
export interface Cookies {
  read(request: Request, name: string): string | undefined;
  set(response: Response, cookie: { name: string; value: string; maxAgeSeconds: number }): void;
  clear(response: Response, name: string): void;
}

/**
 * @param publicUrl where it is https, cookies are `Secure` and carry the `__Host-` prefix: no other host of the domain
 * can set or shadow them.
 */
export function createCookies({ publicUrl }: { publicUrl: string }): Cookies {
  const isSecure = publicUrl.startsWith("https:");
  const fullName = (name: string) => (isSecure ? `__Host-${name}` : name);
  const write = (response: Response, name: string, { value, maxAge }: { value: string; maxAge: number }) =>
    response.append(
      "Set-Cookie",
      stringifySetCookie(fullName(name), value, {
        httpOnly: true,
        sameSite: "lax",
        secure: isSecure,
        path: "/",
        maxAge,
      }),
    );
  return {
    read: (request, name) => parseCookie(request.headers.cookie ?? "")[fullName(name)],
    set: (response, { name, value, maxAgeSeconds }) =>
      void write(response, name, { value, maxAge: maxAgeSeconds }),
    clear: (response, name) => void write(response, name, { value: "", maxAge: 0 }),
  };
}
