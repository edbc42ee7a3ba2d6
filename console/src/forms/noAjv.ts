// Stands in for a package that @rjsf/core names in a test fixture; nothing of it is ever called.
export default {};
