// V8 puts a function that is assigned to a property straight among its old objects, as the methods of a prototype
// are. What such a function refers to then lives until all memory is looked through: a whole kernel, for example.

/** The function as it is, made among the young objects: for one that is kept in a property of what may soon be gone. */
export const young = <T>(fn: T): T => fn;
