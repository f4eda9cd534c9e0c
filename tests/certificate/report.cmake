# Puts the rows that the certificates left in FOLDER together into the pages of the folder DOCS.

# append_table(TEXT TITLE SECTION COLUMN...) appends a heading and the table of SECTION to TEXT.
function(append_table variable title section)
  if(NOT EXISTS "${FOLDER}/${section}.rows")
    message(FATAL_ERROR "no certificates of ${section}: run the tests with the label certificate")
  endif()
  file(READ "${FOLDER}/${section}.rows" rows)
  list(JOIN ARGN " | " columns)
  list(TRANSFORM ARGN REPLACE ".+" "---")
  list(JOIN ARGN " | " rules)
  set(${variable} "${${variable}}\n## ${title}\n\n| ${columns} |\n| ${rules} |\n${rows}"
      PARENT_SCOPE)
endfunction()

set(text "# Certificates\n
The orders of every SDE solver on every kind of noise that it takes. `scripts/test -L certificate`
measures them, fails if a claim does not hold from both sides, and writes this page. A method claims
what its source proves; `none`: no proof. Each measured order has its 95 % confidence interval
(`regression.hpp`).

Strong orders: root mean square error over 4096 paths at 8 to 128 steps. The reference of a table is
one solution on the same Brownian paths with 2048 or 4096 steps, by the solver of the highest order:
`slow-rk`, for general noise `sri2`. Weak orders: the first two moments of a linear SDE at 2 to 2048
steps, with the noise enumerated instead of sampled. Steps that are not affine in x, such as those of
tamed schemes, have no row there. Stratonovich solvers take the Stratonovich form of the same SDE.

The samplers of diffusion models: [sampler_certificates.md](sampler_certificates.md).
")
set(columns solver problem claimed measured)
append_table(text "Additive noise, strong order" additive-strong ${columns})
append_table(text "Additive noise, strong order, square of the noise" additive-strong-square ${columns})
append_table(text "Additive noise, weak order" additive-weak ${columns})
append_table(text "Scalar noise, strong order" scalar-strong ${columns})
append_table(text "Scalar noise, weak order" scalar-weak ${columns})
append_table(text "Diagonal noise, strong order" diagonal-strong ${columns})
append_table(text "Diagonal noise, weak order" diagonal-weak ${columns})
append_table(text "Commutative noise, strong order" commutative-strong ${columns})
append_table(text "Commutative noise, weak order" commutative-weak ${columns})
append_table(text "General noise, strong order, linear" general-strong-linear ${columns})
append_table(text "General noise, strong order, Clark-Cameron" general-strong-clark-cameron
             ${columns})
append_table(text "General noise, weak order" general-weak ${columns})
append_table(text "Solvers made for one process, strong order" bound-strong ${columns})
append_table(text "Affine scalar noise, strong order" affine-strong ${columns}
             "error at 256 steps")
file(WRITE "${DOCS}/certificates.md" "${text}")

set(text "# Certificates of samplers\n
The orders of every sampler of `fokker list samplers` with fixed steps, without Monte Carlo.
`scripts/test -L certificate` measures them, fails if a claim does not hold from both sides, and
writes this page. A sampler claims what its source proves; `none`: no proof, and a measured slope
without a verdict. Each order has its 95 % confidence interval (`regression.hpp`); `exact`: all errors
are rounding. Times are chosen where noise and data are of similar size, and steps differ by a factor
of three along the grid.

Gaussian data: N(0.5, 0.25). The law of the scheme is propagated through the actual stepper
(`linear_law.hpp`) and compared with the law of the equation by W2, both from a law that is not the
model's. Strong errors are the root mean square distance to the exact solution on the same Brownian
path, a closed form in the responses of the scheme to its noise. A sampler with its own noise (such as
`edm-churn`, and `er-sde-1` and `sit` by default) has no strong order. For `er-sde` the equation is
known; for the others the marginals of the model are the only limit, and they start from one of them.

A mixture on the line, 0.3 N(-1, 0.09) + 0.7 N(0.8, 0.16), has a denoiser that is not affine. Its flow
is the quantile map of its law: errors are the largest of three paths. The law of a stochastic scheme
is transported from the exact law at the start by Gauss quadrature of its noise and interpolation of
its state on a fine grid (`tests/certificate/transition.hpp`); errors are those of its characteristic
function.
")
set(processes vp vp-cosine sub-vp ve edm flow verdict)
append_table(text "Deterministic order, Gaussian data" gaussian-deterministic sampler claimed
             ${processes})
string(APPEND text "
`unipc-3`, `deis-tab3`, `deis-rhoab3` and `sa-solver-3` have order 4 with an exact history, but their
start leaves an error of order 3. For affine predictions the two errors are inseparable at feasible
steps, so they are measured separately, along paths from sigma = 3 to 0.3 on the grids of the next
table: `start`, the error after the first three steps (`jumps`), of order 3; `history`, the error at
the end with exact states in the first eight steps (`karras`), of order 4. On the mixture all but
`sa-solver-3` also have an exact history.
")
append_table(text "Deterministic order in parts, Gaussian data" gaussian-parts sampler part claimed
             ${processes})
append_table(text "Deterministic order, mixture, by grids in sigma" mixture-deterministic sampler
             grid claimed ${processes})
string(APPEND text "
Grid `jumps` has steps in ln sigma that alternate between 4/3 and 2/3 of the mean. `ipndm`, made for
equal steps, loses an order there. Both grids go from sigma = 3 to 0.3; for `unipc-3` on `jumps`, to
0.1.
")
append_table(text "Weak order, Gaussian data" gaussian-weak sampler eta claimed ${processes})
append_table(text "Weak order, mixture" mixture-weak sampler eta claimed vp flow verdict)
append_table(text "Weak order, mixture, with two or three denoisers remembered" mixture-weak-more
             sampler eta times claimed flow verdict)
append_table(text "Strong order, Gaussian data" gaussian-strong sampler eta claimed ${processes})
file(WRITE "${DOCS}/sampler_certificates.md" "${text}")
