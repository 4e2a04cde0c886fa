import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { savePolicyForm, showPolicy } from "./policy-handlers.js";
import {
  changeDefaultPreset,
  changePreset,
  removePreset,
  showPreset,
  showPresets,
} from "./preset-handlers.js";
import { changeRotation, removeRotation, showRotation, showRotations } from "./rotation-handlers.js";
import { UNDO_PATH } from "../frame/navigation.js";
import { undo } from "./undo-handlers.js";
import { answerTry, showTry } from "./try-handlers.js";

/** Pages on which policy is set and tried. Ids in addresses are looked up within the portal of the session. */
export function addPolicyRoutes(router: Router, { page, form, question }: Handlers): void {
  router.get("/settings/rotations", page(showRotations));
  router.get("/settings/rotations/:rotationId", page(showRotation));
  router.post("/settings/rotations/:rotationId", form(changeRotation));
  router.post("/settings/rotations/:rotationId/delete", form(removeRotation));
  router.get("/settings/presets", page(showPresets));
  router.post("/settings/presets/default", form(changeDefaultPreset));
  router.get("/settings/presets/:presetId", page(showPreset));
  router.post("/settings/presets/:presetId", form(changePreset));
  router.post("/settings/presets/:presetId/delete", form(removePreset));
  router.get("/settings/policy", page(showPolicy));
  router.post("/settings/policy", form(savePolicyForm));
  router.post(UNDO_PATH, form(undo));
  router.get("/settings/try", page(showTry));
  router.post("/settings/try", question(answerTry));
}
