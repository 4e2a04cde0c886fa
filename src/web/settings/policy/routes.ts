import { Router } from "express";
import { showAudit } from "../audit/audit-view.js";
import { answersOf } from "../frame/answer.js";
import type { Handler } from "../frame/form-answers.js";
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
import { formBody } from "../gate/admit-form.js";
import type { SettingsOptions } from "../session/site-options.js";

/** A preset may list 1,000 domains; a rotation has two fields for each of 200 senders. */
const LONG_FORM = { maxBytes: 256 * 1024, maxFields: 2_000 };

/** Pages on which policy is set. Ids in addresses are looked up within the portal of the session. */
export function createPolicyRouter(options: SettingsOptions): Router {
  const router = Router();
  const body = formBody(options, LONG_FORM);
  const { page: answer } = answersOf(options);
  const get = (path: string, handler: Handler) => router.get(path, answer(handler));
  const post = (path: string, handler: Handler) => router.post(path, body, answer(handler));
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
  get("/settings/audit", showAudit);
  return router;
}
