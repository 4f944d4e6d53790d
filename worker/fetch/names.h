/* names.h - which names may be in a driver's source
 *
 * What is fetched reaches make, cmake and shells of other people, as file names. So names are taken from a white list:
 * letters, digits, blanks inside, ". _ - + @ = , ~ # % ^ ! ( ) [ ] { }", and what UTF-8 has besides ASCII.
 */
#ifndef DROVER_FETCH_NAMES_H
#define DROVER_FETCH_NAMES_H

/* NULL when `name` may be the name of a file or folder, else what is wrong with it, as in "the name 'x' WRONG". */
const char *names_mistake(const char *name);

#endif
