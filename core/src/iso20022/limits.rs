//! The bounds of everything that is read from a stranger, in one place, each with its reason.

/// How deep elements may nest. The deepest schema has 20 levels, and envelopes add a few.
pub const DEPTH_MAX: usize = 64;

/// The longest single piece of XML in bytes: a tag with its attributes, a run of text, a comment, a
/// CDATA section. The longest text that a schema allows here is 20,000 characters.
pub const TOKEN_BYTES_MAX: usize = 128 * 1024;

/// The longest text of one element in bytes, however many pieces it comes in.
pub const TEXT_BYTES_MAX: usize = 128 * 1024;

/// The most attributes of one tag. Real messages have namespaces and a schema location: four or five.
pub const ATTRIBUTES_MAX: usize = 32;

/// The most namespace declarations in scope at once. Envelopes of gateways have up to ten.
pub const DECLARATIONS_MAX: usize = 64;

/// The largest message from a rail in bytes; a large real one has some tens of kilobytes. A file
/// has no such bound: it is read as a stream.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most violations that are kept of one message; further ones are only counted.
pub const VIOLATIONS_MAX: usize = 100;

/// The most elements of one row of a file, or of one header, so that it has a bounded size in memory.
pub const ROW_ELEMENTS_MAX: usize = 20_000;

/// The most text of one row of a file, or of one header, in bytes.
pub const ROW_TEXT_BYTES_MAX: usize = 1024 * 1024;
