import type { Request, Response } from "express";
import { expect, test } from "@jest/globals";
import { createCookies } from "#web/kit/cookies.js";
import { reasonOf } from "#web/settings/words/contact-words.js";
import { leaveNotice, takeNotice } from "#web/settings/frame/notices.js";

/** What String.replace would put other text for. */
const NAMES = ["$& and $' and $`", "$1$$", "{}"];

test("a name stands in the reason of a refusal as it is, whatever is in it", () => {
  for (const senderName of NAMES) {
    const senderEmail = "ann@acme.example";
    const errorMessage = `Sender ${senderEmail} has no connected inbox: ask ${senderEmail}.`;
    expect(reasonOf({ errorMessage, senderEmail, senderName })).toBe(
      `${senderName} has no connected inbox: ask ${senderName}.`,
    );
  }
});

test("a name stands in a notice as it is, whatever is in it", () => {
  const keeper = {
    cookies: createCookies({ publicUrl: "http://localhost" }),
    sign: (text: string) => `s${text.length}`,
  };
  for (const name of NAMES) {
    let cookie = "";
    const response = { append: (_name: string, line: string) => (cookie = line.split(";")[0] ?? "") };
    leaveNotice(keeper, response as unknown as Response, { name: "sender-saved", about: name });
    const request = { headers: { cookie } } as unknown as Request;
    const notice = takeNotice(keeper, request, response as unknown as Response);
    expect(notice?.text).toBe(`Default sender is now ${name}.`);
  }
});
