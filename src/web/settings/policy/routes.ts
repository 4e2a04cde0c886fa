import { Router } from "express";
import type { FormHandler, Handler } from "../frame/exchange.js";
import { changePolicy, showPolicy } from "./portal-policy.js";
import { changeDefaultPreset, changePreset, removePreset, showPreset, showPresets } from "./presets.js";
import { changeRotation, removeRotation, showRotation, showRotations } from "./rotations.js";
import {
  changeListing,
  changeMarks,
  changeSenderSettings,
  clearSender,
  showSender,
  showSenders,
} from "../senders/senders.js";
import { answerTry, showTry } from "./try-it.js";
import { handlersOf } from "../gate/handlers.js";
import type { SettingsOptions } from "../session/site-options.js";

/** A preset may list 1,000 domains; a rotation has two fields for each of 200 senders. */
const LONG_FORM = { maxBytes: 256 * 1024, maxFields: 2_000 };

/** Pages on which policy is set. Ids in addresses are looked up within the portal of the session. */
export function createPolicyRouter(options: SettingsOptions): Router {
  const router = Router();
  const { page, form } = handlersOf(options, LONG_FORM);
  const get = (path: string, handler: Handler) => router.get(path, page(handler));
  const post = (path: string, handler: FormHandler) => router.post(path, form(handler));
  get("/settings/senders", showSenders);
  post("/settings/senders", changeMarks);
  post("/settings/senders/listing", changeListing);
  get("/settings/senders/:userId", showSender);
  post("/settings/senders/:userId", changeSenderSettings);
  post("/settings/senders/:userId/clear", clearSender);
  get("/settings/rotations", showRotations);
  get("/settings/rotations/:rotationId", showRotation);
  post("/settings/rotations/:rotationId", changeRotation);
  post("/settings/rotations/:rotationId/delete", removeRotation);
  get("/settings/presets", showPresets);
  post("/settings/presets/default", changeDefaultPreset);
  get("/settings/presets/:presetId", showPreset);
  post("/settings/presets/:presetId", changePreset);
  post("/settings/presets/:presetId/delete", removePreset);
  get("/settings/policy", showPolicy);
  post("/settings/policy", changePolicy);
  get("/settings/try", showTry);
  post("/settings/try", answerTry);
  return router;
}
