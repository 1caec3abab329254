// Package hdp speaks as Hybrid Data Pipeline's whitelist API: a system's, a
// tenant's and a user's lists for four resources, and the switch that lifts them.
//
// POST and PUT alike replace the resources a body names; null and [] are that
// system's words for "open to all", and so is DELETE: they take every allow entry
// out, those that are over or disabled too, since one that stayed would keep
// everybody out. Denials, which this API knows nothing of, stay. Reading answers
// ranges, the whole of what is live and allows; writing answers what reading then
// would.
//
// A user's own key has two of the lists; the others are left out of its answers.
//
// Errors have codes. Four are documented; the others were chosen beside them and
// stay as they are:
//
//	222206007 401 credentials missing or wrong      (documented)
//	222208712 5xx reading failed                    (documented)
//	222208713 5xx writing failed
//	222208715 5xx deleting failed                   (documented)
//	222208720 404 no such tenant                    (documented)
//	222208721 404 no such user
//	222208722 404 nothing at this path, or of this name
//	222208723 405 the path has other methods
//	222208731 400 the request cannot be meant, each mistake in a line; also 408, 413, 415
//	222208732 422 what it asks for makes no policy
//	222208741 403 the caller may not
//	222208742 403 its address may not
//	222208743 429 too many requests or failures
//	222208751 409 the list stands in a file
//	222208752 409 it would shut its author out, or cut connections
//	222208753 409 what restricts would restrict nothing
//	222208754 409 it waits to be confirmed
//	222208755 409 it clashes with what there is
//	222208756 507 it does not fit
package hdp
