import { equalBytes, fromHex } from '../crypto/index.js'
import type { PckPlatform } from './certificates.js'
import type { PlatformStatus, TcbVerdict } from './claims.js'
import { published, type QeIdentity, type TcbInfo, type VerifiedCollateral } from './collateral.js'
import { CheckFailed } from './errors.js'
import type { TdxModuleClaims, UnverifiedQuote } from './quote.js'

/** From the best to the worst; what Intel may say some day beyond these is worse than all. */
const SEVERITY = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
]

/**
 * Judges platform and quoting enclave, each by itself, by Intel's rules ("Intel SGX PCK Certificate and TCB Info", selecting a TCB
 * level; QE identity likewise).
 *
 * Of TDX components Intel's rule leaves out the first two where the module has levels of its own (see
 * {@link judgeTdxModule}); the verification library compares all 16.
 *
 * @param rule whose; Intel's when absent.
 * @throws CheckFailed `qe-identity`, `tcb-level`
 */
export function judgePlatform(
  quote: Pick<UnverifiedQuote, 'qeReport' | 'tdx'>,
  platform: PckPlatform,
  { tcbInfo, qeIdentity }: Pick<VerifiedCollateral, 'tcbInfo' | 'qeIdentity'>,
  rule: 'intel' | 'library' = 'intel',
): TcbVerdict[] {
  const left = rule === 'intel' && quote.tdx !== undefined && moduleVersion(quote.tdx) > 0 ? MODULE_COMPONENTS : 0
  return [platformVerdict(tcbInfo, platform, quote.tdx, left), quotingEnclaveVerdict(quote.qeReport, qeIdentity)]
}

/**
 * Judges the module that guards TDX domains, which the verification library does not do: Intel's must have signed it,
 * and since its version 1 it has levels of its own ("Intel TDX: TCB info", tdxModuleIdentities).
 *
 * @throws CheckFailed `tdx-module`
 */
export function judgeTdxModule(module: TdxModuleClaims, tcbInfo: TcbInfo): TcbVerdict {
  if (tcbInfo.id !== 'TDX') throw new CheckFailed('tdx-module', 'TCB info does not know of TDX')
  const [securityVersion = 0] = module.teeTcbSvn
  const version = moduleVersion(module)
  const id = `TDX_${version.toString(16).padStart(2, '0').toUpperCase()}`
  const identity = version === 0 ? undefined : tcbInfo.tdxModuleIdentities.find((known) => known.id === id)
  if (version !== 0 && identity === undefined) throw new CheckFailed('tdx-module', `its TDX module ${id} is not known`)

  const expected = identity ?? tcbInfo.tdxModule
  if (
    !equalBytes(module.mrSignerSeam, fromHex(`0x${expected.mrsigner}`)) ||
    !isMasked(module.seamAttributes, expected.attributes, expected.attributesMask)
  ) {
    throw new CheckFailed('tdx-module', "its TDX module is not Intel's")
  }
  if (identity === undefined) return { part: 'TDX module', status: 'UpToDate', advisoryIds: [] }
  const level = identity.tcbLevels.find(({ tcb }) => securityVersion >= tcb.isvsvn)
  if (level === undefined) throw new CheckFailed('tcb-level', `its TDX module ${id} is below every level`)
  return { part: 'TDX module', status: level.tcbStatus, advisoryIds: level.advisoryIDs }
}

/** What a policy judges. */
export function platformStatus(
  parts: readonly TcbVerdict[],
  collateral: Pick<VerifiedCollateral, 'tcbInfo' | 'qeIdentity'>,
): PlatformStatus {
  const { status, advisoryIds } = merged(parts)
  return { tcbStatus: status, advisoryIds, parts, ...published(collateral) }
}

/**
 * All at once as the verification library puts it: the worst word, and all that is still open. Intel's own rule is
 * stricter (a part that needs configuration and one that is out of date are `OutOfDateConfigurationNeeded`), so nothing
 * is excused by this.
 */
export function merged(parts: readonly TcbVerdict[]): Pick<TcbVerdict, 'status' | 'advisoryIds'> {
  const rank = (status: string) => (SEVERITY.includes(status) ? SEVERITY.indexOf(status) : SEVERITY.length)
  return {
    status: parts.reduce((worst, { status }) => (rank(status) > rank(worst) ? status : worst), 'UpToDate'),
    advisoryIds: [...new Set(parts.flatMap(({ advisoryIds }) => advisoryIds))],
  }
}

/** The components of TDX that are the module's: its security version, and its version. */
const MODULE_COMPONENTS = 2

function moduleVersion({ teeTcbSvn }: TdxModuleClaims): number {
  return teeTcbSvn[1] ?? 0
}

/** @param left how many of the first components of TDX are left out. */
function platformVerdict(
  tcbInfo: TcbInfo,
  platform: PckPlatform,
  tdx: TdxModuleClaims | undefined,
  left: number,
): TcbVerdict {
  for (const { tcb, tcbStatus, advisoryIDs } of tcbInfo.tcbLevels) {
    const reachesTdx =
      'tdxtcbcomponents' in tcb
        ? tdx !== undefined && reaches(tdx.teeTcbSvn.subarray(left), tcb.tdxtcbcomponents.slice(left))
        : true
    if (platform.pceSvn >= tcb.pcesvn && reaches(platform.componentSvns, tcb.sgxtcbcomponents) && reachesTdx) {
      return { part: 'platform', status: tcbStatus, advisoryIds: advisoryIDs }
    }
  }
  throw new CheckFailed('tcb-level', 'its platform is below every TCB level')
}

function reaches(actual: Uint8Array, needed: readonly { readonly svn: number }[]): boolean {
  return actual.length === needed.length && needed.every(({ svn }, at) => (actual[at] ?? 0) >= svn)
}

/** Offsets in the 384 bytes of `sgx_report_body_t`. */
const [MISC_SELECT, ATTRIBUTES, MR_SIGNER, PRODUCT_ID, SECURITY_VERSION] = [16, 48, 128, 256, 258]

function quotingEnclaveVerdict(report: Uint8Array, identity: QeIdentity): TcbVerdict {
  const view = new DataView(report.buffer, report.byteOffset, report.length)
  const attributes = report.subarray(ATTRIBUTES, ATTRIBUTES + 16)
  const isIntels =
    equalBytes(report.subarray(MR_SIGNER, MR_SIGNER + 32), fromHex(`0x${identity.mrsigner}`)) &&
    view.getUint16(PRODUCT_ID, true) === identity.isvprodid &&
    isMasked(report.subarray(MISC_SELECT, MISC_SELECT + 4), identity.miscselect, identity.miscselectMask) &&
    isMasked(attributes, identity.attributes, identity.attributesMask)
  if (!isIntels) throw new CheckFailed('qe-identity', "its quoting enclave is not Intel's")
  if (((attributes[0] ?? 0) & 0x02) !== 0) throw new CheckFailed('qe-identity', 'its quoting enclave is in debug mode')
  const version = view.getUint16(SECURITY_VERSION, true)
  const level = identity.tcbLevels.find(({ tcb }) => version >= tcb.isvsvn)
  if (level === undefined) throw new CheckFailed('tcb-level', 'its quoting enclave is below every level')
  return { part: 'quoting enclave', status: level.tcbStatus, advisoryIds: level.advisoryIDs }
}

/** Byte by byte, in the order in which the collateral writes them. */
function isMasked(actual: Uint8Array, expected: string, mask: string): boolean {
  const [wanted, masks] = [fromHex(`0x${expected}`), fromHex(`0x${mask}`)]
  return actual.every((byte, at) => (byte & (masks[at] ?? 0)) === ((wanted[at] ?? 0) & (masks[at] ?? 0)))
}
