// Drives the npm package `@cloud-copilot/iam-simulate` on lines of Clew's batch contract; installed by decisions.py into
// a temporary folder, never part of Clew. Usage: node iam_simulate.mjs PACKAGE_DIRECTORY MODE < LINES
// MODE `decide`: one decision a line. MODE `time SECONDS`: decisions per second over the lines, again and again: first
// the bare effect (`runUnsafeSimulation`), then the checked and explained answer (`runSimulation`).
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'

const { runSimulation, runUnsafeSimulation, anonymousPrincipal } = createRequire(`${process.argv[2]}/`)(
  '@cloud-copilot/iam-simulate'
)

const WORDS = { Allowed: 'allow', ExplicitlyDenied: 'explicit_deny', ImplicitlyDenied: 'implicit_deny' }
const named = (policies) => (policies ?? []).map((policy, n) => ({ name: `p${n}`, policy }))
const levels = (list) => (list ?? []).map((level, n) => ({ orgIdentifier: `ou-${n}`, policies: named(level) }))
const text = (value) => (Array.isArray(value) ? value.map(String) : String(value))

function simulation(line) {
  const { principal, action, resource, resource_account, context } = line.request
  const account = resource_account || resource.split(':')[4] || principal.split(':')[4] || ''
  return {
    request: {
      principal: principal === '*' ? anonymousPrincipal : principal,
      action,
      resource: { resource, accountId: account },
      contextVariables: Object.fromEntries(Object.entries(context ?? {}).map(([k, v]) => [k, text(v)]))
    },
    identityPolicies: named(line.identity_policies),
    resourcePolicy: line.resource_policy,
    permissionBoundaryPolicies: line.permissions_boundaries?.length ? named(line.permissions_boundaries) : undefined,
    sessionPolicy: line.session_policies?.[0],
    serviceControlPolicies: line.management_account ? [] : levels(line.scps),
    resourceControlPolicies: line.management_account ? [] : levels(line.rcps),
    vpcEndpointPolicies: line.vpc_endpoint_policies?.length ? named(line.vpc_endpoint_policies) : undefined,
    additionalSettings: {
      s3: { blockPublicAccess: Boolean(line.block_public_access?.RestrictPublicBuckets) }
    }
  }
}

async function attempt(line) {
  try {
    const { resultType, overallResult, errors } = await runSimulation(simulation(line), {})
    return resultType === 'error' ? { error: errors.message } : { decision: WORDS[overallResult] }
  } catch (error) {
    return { error: String(error.message).slice(0, 200) }
  }
}

const lines = []
for await (const line of createInterface({ input: process.stdin })) lines.push(JSON.parse(line))

async function rate(seconds, simulations, run) {
  const started = performance.now()
  let done = 0
  while (performance.now() < started + seconds * 1000) {
    for (const each of simulations) await run(each, {})
    done += simulations.length
  }
  return (done / (performance.now() - started)) * 1000
}

if (process.argv[3] === 'time') {
  const simulations = lines.map(simulation)
  const seconds = Number(process.argv[4])
  const effect = await rate(seconds, simulations, runUnsafeSimulation)
  const explained = await rate(seconds, simulations, runSimulation)
  console.log(JSON.stringify({ effect, explained }))
} else {
  for (const line of lines) console.log(JSON.stringify({ id: line.id, ...(await attempt(line)) }))
}
