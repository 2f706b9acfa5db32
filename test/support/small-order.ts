/** X25519 keys of order 1, 2, 4 and 8, and as numbers that are not reduced: RFC 7748, 6.1, and cr.yp.to/ecdh.html#validate. */
export const SMALL_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
].map((point) => new Uint8Array(Buffer.from(point, 'hex')))
