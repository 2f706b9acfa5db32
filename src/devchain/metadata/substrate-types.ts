import type { NamedType, VariantDefinition } from './type-book.js'

function units(...names: string[]): Record<string, VariantDefinition> {
  return Object.fromEntries(names.map((name, index) => [name, { index }]))
}

function extension(path: string, ...tuple: string[]): NamedType {
  return { path, shape: { tuple } }
}

/** `Era` is one byte for immortal, else two; scale-info lists a variant for each first byte of a mortal one. */
function eraVariants(): Record<string, VariantDefinition> {
  const mortal = Array.from({ length: 255 }, (_, offset) => [
    `Mortal${offset + 1}`,
    { index: offset + 1, fields: ['u8'] },
  ])
  return { Immortal: { index: 0 }, ...Object.fromEntries(mortal) }
}

/** The signed extensions in signing order: type, and the type of what is signed without being sent. */
export const SIGNED_EXTENSIONS: Readonly<Record<string, string>> = {
  CheckSpecVersion: 'u32',
  CheckTxVersion: 'u32',
  CheckGenesis: 'H256',
  CheckMortality: 'H256',
  CheckNonce: '()',
  CheckWeight: '()',
  ChargeTransactionPayment: '()',
}

/** Types that every Substrate chain has, as `frame_system` and `sp_runtime` define them. */
export const SUBSTRATE_TYPES: Readonly<Record<string, NamedType>> = {
  AccountId32: { path: 'sp_core::crypto::AccountId32', shape: { tuple: ['[u8;32]'] } },
  H256: { path: 'primitive_types::H256', shape: { tuple: ['[u8;32]'] } },
  Permill: { path: 'sp_arithmetic::per_things::Permill', shape: { tuple: ['u32'] } },
  MultiAddress: {
    path: 'sp_runtime::multiaddress::MultiAddress',
    parameters: { AccountId: 'AccountId32', AccountIndex: '()' },
    shape: {
      variants: {
        Id: { index: 0, fields: ['AccountId32'] },
        Index: { index: 1, fields: ['Compact<()>'] },
        Raw: { index: 2, fields: ['Bytes'] },
        Address32: { index: 3, fields: ['[u8;32]'] },
        Address20: { index: 4, fields: ['[u8;20]'] },
      },
    },
  },
  MultiSignature: {
    path: 'sp_runtime::MultiSignature',
    shape: {
      variants: {
        Ed25519: { index: 0, fields: ['[u8;64]'] },
        Sr25519: { index: 1, fields: ['[u8;64]'] },
        Ecdsa: { index: 2, fields: ['[u8;65]'] },
      },
    },
  },
  Era: { path: 'sp_runtime::generic::era::Era', shape: { variants: eraVariants() } },
  CheckSpecVersion: extension('frame_system::extensions::check_spec_version::CheckSpecVersion'),
  CheckTxVersion: extension('frame_system::extensions::check_tx_version::CheckTxVersion'),
  CheckGenesis: extension('frame_system::extensions::check_genesis::CheckGenesis'),
  CheckMortality: extension('frame_system::extensions::check_mortality::CheckMortality', 'Era'),
  CheckNonce: extension('frame_system::extensions::check_nonce::CheckNonce', 'Compact<u32>'),
  CheckWeight: extension('frame_system::extensions::check_weight::CheckWeight'),
  ChargeTransactionPayment: extension('pallet_transaction_payment::ChargeTransactionPayment', 'Compact<u128>'),
  UncheckedExtrinsic: {
    path: 'sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic',
    parameters: {
      Address: 'MultiAddress',
      Call: 'RuntimeCall',
      Signature: 'MultiSignature',
      Extra: `(${Object.keys(SIGNED_EXTENSIONS).join(',')})`,
    },
    shape: { tuple: ['Bytes'] },
  },
  Weight: {
    path: 'sp_weights::weight_v2::Weight',
    shape: { fields: { ref_time: 'Compact<u64>', proof_size: 'Compact<u64>' } },
  },
  DispatchClass: {
    path: 'frame_support::dispatch::DispatchClass',
    shape: { variants: units('Normal', 'Operational', 'Mandatory') },
  },
  Pays: { path: 'frame_support::dispatch::Pays', shape: { variants: units('Yes', 'No') } },
  DispatchInfo: {
    path: 'frame_support::dispatch::DispatchInfo',
    shape: { fields: { weight: 'Weight', class: 'DispatchClass', pays_fee: 'Pays' } },
  },
  ModuleError: { path: 'sp_runtime::ModuleError', shape: { fields: { index: 'u8', error: '[u8;4]' } } },
  TokenError: {
    path: 'sp_runtime::TokenError',
    shape: {
      variants: units(
        'FundsUnavailable',
        'OnlyProvider',
        'BelowMinimum',
        'CannotCreate',
        'UnknownAsset',
        'Frozen',
        'Unsupported',
        'CannotCreateHold',
        'NotExpendable',
        'Blocked',
      ),
    },
  },
  ArithmeticError: {
    path: 'sp_arithmetic::ArithmeticError',
    shape: { variants: units('Underflow', 'Overflow', 'DivisionByZero') },
  },
  TransactionalError: {
    path: 'sp_runtime::TransactionalError',
    shape: { variants: units('LimitReached', 'NoLayer') },
  },
  DispatchError: {
    path: 'sp_runtime::DispatchError',
    shape: {
      variants: {
        ...units('Other', 'CannotLookup', 'BadOrigin'),
        Module: { index: 3, fields: ['ModuleError'] },
        ConsumerRemaining: { index: 4 },
        NoProviders: { index: 5 },
        TooManyConsumers: { index: 6 },
        Token: { index: 7, fields: ['TokenError'] },
        Arithmetic: { index: 8, fields: ['ArithmeticError'] },
        Transactional: { index: 9, fields: ['TransactionalError'] },
        Exhausted: { index: 10 },
        Corruption: { index: 11 },
        Unavailable: { index: 12 },
        RootNotAllowed: { index: 13 },
      },
    },
  },
  Phase: {
    path: 'frame_system::Phase',
    shape: {
      variants: {
        ApplyExtrinsic: { index: 0, fields: ['u32'] },
        Finalization: { index: 1 },
        Initialization: { index: 2 },
      },
    },
  },
  EventRecord: {
    path: 'frame_system::EventRecord',
    parameters: { E: 'RuntimeEvent', T: 'H256' },
    shape: { fields: { phase: 'Phase', event: 'RuntimeEvent', topics: 'Vec<H256>' } },
  },
  ExtraFlags: { path: 'pallet_balances::types::ExtraFlags', shape: { tuple: ['u128'] } },
  AccountData: {
    path: 'pallet_balances::types::AccountData',
    shape: { fields: { free: 'u128', reserved: 'u128', frozen: 'u128', flags: 'ExtraFlags' } },
  },
  AccountInfo: {
    path: 'frame_system::AccountInfo',
    parameters: { Nonce: 'u32', AccountData: 'AccountData' },
    shape: { fields: { nonce: 'u32', consumers: 'u32', providers: 'u32', sufficients: 'u32', data: 'AccountData' } },
  },
}
