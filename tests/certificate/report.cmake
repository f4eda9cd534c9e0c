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
The orders of every SDE solver on every kind of noise that it takes, measured by
`ctest -L certificate`, which fails where a claim does not hold from both sides, and writes this
page. What a method claims is what its source proves; `none` where it proves nothing. Behind each
measured order stands its 95 % interval (see `regression.hpp`).

Strong orders: root mean square over 4096 paths at 8 to 128 steps, all solvers of a table against
one solution on the same Brownian paths, that of the solver of the highest order with 2048 or 4096
steps: `slow-rk`, for general noise `sri2`. Weak orders: the first two moments of a linear SDE at
2 to 2048 steps, the noise enumerated, so that there is no Monte Carlo in them. Steps that are not
affine in x, of tamed schemes for instance, have no row there. Both forms of the problem are the
same SDE: Stratonovich solvers get its Stratonovich form.

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
The orders of every sampler of `fokker list samplers` that has steps of its own, measured by
`ctest -L certificate`, which fails where a claim does not hold from both sides, and writes this
page. There is no Monte Carlo in it. What a sampler claims is what its source proves; `none` where
it proves nothing, and then there is no verdict but a measured slope. Behind each order stands its
95 % interval (see `regression.hpp`); `exact` where all errors are rounding. Times lie where noise
and data are of one size, and steps differ by a factor of three along the grid.

Gaussian data: N(0.5, 0.25). The law of the scheme is pushed through the real stepper
(`linear_law.hpp`) and compared with the law of the equation by W2, both from a law that is not the
model's. Strong errors are the root mean square distance to the exact solution on the same Brownian
path, a closed form in the responses of the scheme to its noise. Where a sampler has a noise of its
own (`edm-churn`, `er-sde-1` and `sit` by default, for instance), it has no strong order; of `er-sde`
the equation is known, of the others the model's marginals are the only limit, and they start from
one of them.

A mixture on the line, 0.3 N(-1, 0.09) + 0.7 N(0.8, 0.16), whose denoiser is not affine. Its flow is
the quantile map of its law: errors are the largest of three paths. The law of a stochastic scheme
is transported by Gauss quadrature of its noise and interpolation on a fine grid of what it carries
(`tests/certificate/transition.hpp`), from the exact law at the start; errors are those of its
characteristic function.
")
set(processes vp vp-cosine sub-vp ve edm flow verdict)
append_table(text "Deterministic order, Gaussian data" gaussian-deterministic sampler claimed
             ${processes})
string(APPEND text "
`unipc-3`, `deis-tab3`, `deis-rhoab3` and `sa-solver-3` have order 4 once they have a history, of
which their start leaves an error of order 3. On affine predictions the one hides behind the other
at steps that can be taken, so they are measured apart, along paths from sigma = 3 to 0.3 by the
grids of the next table: `start`, the error after the first three steps (`jumps`), of order 3;
`history`, the error at the end where the first eight steps start from exact states (`karras`), of
order 4. On the mixture all but `sa-solver-3` are given a history of exact states too.
")
append_table(text "Deterministic order in parts, Gaussian data" gaussian-parts sampler part claimed
             ${processes})
append_table(text "Deterministic order, mixture, by grids in sigma" mixture-deterministic sampler
             grid claimed ${processes})
string(APPEND text "
Grid `jumps` has steps in ln sigma of 4/3 and 2/3 of the mean by turns. `ipndm`, made for equal
steps, loses an order there. Both go from sigma = 3 to 0.3, of `unipc-3` on `jumps` to 0.1.
")
append_table(text "Weak order, Gaussian data" gaussian-weak sampler eta claimed ${processes})
append_table(text "Weak order, mixture" mixture-weak sampler eta claimed vp flow verdict)
append_table(text "Weak order, mixture, with two or three denoisers remembered" mixture-weak-more
             sampler eta times claimed flow verdict)
append_table(text "Strong order, Gaussian data" gaussian-strong sampler eta claimed ${processes})
file(WRITE "${DOCS}/sampler_certificates.md" "${text}")
