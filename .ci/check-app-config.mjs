/**
 * What HubSpot's parser says of a project before it is uploaded: the project's own file, where each component lies, its id,
 * the profile's variables. The schemas of the components' contents are HubSpot's to give, to signed-in accounts alone;
 * here each is empty, and HubSpot checks them at the upload. Run by check-app-config.sh, beside which the parser is.
 */
import path from "node:path";
import { http } from "@hubspot/local-dev-lib/http";
import { parseProjectConfig } from "@hubspot/project-parsing-lib/projects";
import { getAllHsProfiles, loadHsProfileFile } from "@hubspot/project-parsing-lib/profiles";
import { translate } from "@hubspot/project-parsing-lib/translate";

/** What the app consists of: one that the parser passes over would be missing from the upload without a word. */
const EXPECTED = {
  APPLICATION: 1,
  SETTINGS: 1,
  WEBHOOKS: 1,
  WORKFLOW_ACTION: 4,
};
const ANY_ACCOUNT = 1;

http.get = () => Promise.resolve({ data: new Proxy({}, { get: () => ({}) }) });

function countByType(nodes) {
  const counts = {};
  for (const { componentType } of nodes) counts[componentType] = (counts[componentType] ?? 0) + 1;
  return counts;
}

async function problemsOf(folder) {
  const { srcDir, platformVersion } = parseProjectConfig(folder);
  const projectSourceDir = path.join(folder, srcDir);
  const [profile] = await getAllHsProfiles(projectSourceDir);
  const { variables } = loadHsProfileFile(projectSourceDir, profile);
  const { intermediateRepresentation, skippedHsMetaFiles } = await translate(
    { projectSourceDir, platformVersion, accountId: ANY_ACCOUNT },
    { profile },
  );
  const nodes = Object.values(intermediateRepresentation.intermediateNodesIndexedByUid);
  const text = JSON.stringify(nodes);
  const counts = countByType(nodes);
  console.log(`HubSpot's parser reads ${JSON.stringify(counts)} for platform ${platformVersion}`);
  return [
    ...skippedHsMetaFiles.map((file) => `${file} is passed over`),
    ...Object.entries(EXPECTED)
      .filter(([type, count]) => counts[type] !== count)
      .map(([type, count]) => `${type}: ${count} expected, ${counts[type] ?? 0} read`),
    ...[...text.matchAll(/\$\{(\w+)\}/g)].map(([whole]) => `${whole} is in no profile`),
    ...(text.includes(variables["PUBLIC_URL"]) ? [] : ["no component uses PUBLIC_URL of the profile"]),
  ];
}

try {
  const problems = await problemsOf(process.argv[2]);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
} catch (error) {
  // HubSpot's own text, which names file and reason.
  console.error(String(error));
  process.exitCode = 1;
}
