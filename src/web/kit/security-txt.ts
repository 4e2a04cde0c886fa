import { Router } from "express";

/** RFC 9116 wants a date after which the file is not to be believed; each answer is good for this long. */
const GOOD_FOR_MS = 90 * 86_400_000;

/**
 * `GET /.well-known/security.txt`: where to report a vulnerability of this service. Without a contact there is no such
 * route.
 */
export function createSecurityTxt(options: {
  /** `mailto:` or `https:` URL of the operator. */
  contact: string | undefined;
  publicUrl: string;
  now: () => Date;
}): Router {
  const { contact, publicUrl, now } = options;
  const router = Router();
  if (contact === undefined) return router;
  router.get("/.well-known/security.txt", (_request, response) => {
    const expires = new Date(now().getTime() + GOOD_FOR_MS).toISOString();
    const lines = [
      `Contact: ${contact}`,
      `Expires: ${expires}`,
      "Preferred-Languages: en",
      `Canonical: ${publicUrl}/.well-known/security.txt`,
    ];
    response.type("text/plain").send(`${lines.join("\n")}\n`);
  });
  return router;
}
