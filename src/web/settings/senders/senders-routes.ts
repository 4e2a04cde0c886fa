import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import {
  changeListing,
  changeMarks,
  changeSenderSettings,
  clearSender,
  showSender,
  showSenders,
} from "./sender-handlers.js";

/** Who may send, when and how much. Ids in addresses are looked up within the portal of the session. */
export function addSendersRoutes(router: Router, { page, form }: Handlers): void {
  router.get("/settings/senders", page(showSenders));
  router.post("/settings/senders", form(changeMarks));
  router.post("/settings/senders/listing", form(changeListing));
  router.get("/settings/senders/:userId", page(showSender));
  router.post("/settings/senders/:userId", form(changeSenderSettings));
  router.post("/settings/senders/:userId/clear", form(clearSender));
}
